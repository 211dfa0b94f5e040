package kube

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	remote "k8s.io/apimachinery/pkg/util/remotecommand"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/transport/websocket"
	"k8s.io/streaming/pkg/httpstream"
)

// exitStatus is that of a command which ended with another than 0.
type exitStatus int

func (s exitStatus) Error() string { return fmt.Sprintf("the command ended with status %d", int(s)) }

const (
	maxSaid    = 1000    // bytes that are kept of what a command says
	maxMessage = 1 << 20 // bytes of one message of the API server
)

// runIn runs the command that an address of pods/exec names, over a WebSocket: the
// client of client-go links SPDY too, which nothing here speaks. It returns the
// beginning of what the command said.
func runIn(ctx context.Context, cfg *rest.Config, address string) (said string, err error) {
	round, holder, err := websocket.RoundTripperFor(cfg)
	if err != nil {
		return "", err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return "", err
	}
	conn, err := websocket.Negotiate(round, holder, req, remote.StreamProtocolV5Name, remote.StreamProtocolV4Name)
	if refused := (*httpstream.UpgradeFailureError)(nil); errors.As(err, &refused) {
		return "", refused.Cause
	} else if err != nil {
		return "", err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	conn.SetReadLimit(maxMessage)
	for {
		_, message, err := conn.ReadMessage()
		if err != nil {
			return said, errors.Join(context.Cause(ctx), err)
		}
		if len(message) == 0 {
			continue
		}
		switch stream, text := message[0], message[1:]; stream {
		case remote.StreamStdOut, remote.StreamStdErr:
			said += string(text[:min(len(text), maxSaid-len(said))])
		case remote.StreamErr: // the last that is sent: how the command ended
			return said, ending(text)
		}
	}
}

// ending reads the Status that tells how a command ended.
func ending(text []byte) error {
	var status metav1.Status
	if err := json.Unmarshal(text, &status); err != nil {
		return fmt.Errorf("how the command ended cannot be read: %w", err)
	}
	if status.Status == metav1.StatusSuccess {
		return nil
	}
	if status.Reason == remote.NonZeroExitCodeReason && status.Details != nil {
		for _, cause := range status.Details.Causes {
			if code, err := strconv.Atoi(cause.Message); cause.Type == remote.ExitCodeCauseType && err == nil {
				return exitStatus(code)
			}
		}
	}
	return errors.New(status.Message)
}
