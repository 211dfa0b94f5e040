package cli

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/breakwater-sec/breakwater/analyse"
	"github.com/breakwater-sec/breakwater/api"
	"github.com/breakwater-sec/breakwater/assess"
	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/collect/kube"
	"github.com/breakwater-sec/breakwater/enrichment"
	harborshop "github.com/breakwater-sec/breakwater/examples/harbor-shop"
	"github.com/breakwater-sec/breakwater/examples/harbor-shop/advisories"
	"github.com/breakwater-sec/breakwater/image"
	"github.com/breakwater-sec/breakwater/live"
	"github.com/breakwater-sec/breakwater/registries"
	"github.com/breakwater-sec/breakwater/scope"
	"github.com/breakwater-sec/breakwater/store"
	"github.com/breakwater-sec/breakwater/ui"
	"github.com/breakwater-sec/breakwater/vuln"
)

func serveCommand(s streams) *cobra.Command {
	var c config
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Watch clusters and registries and serve portal and API",
		Long: `Watch clusters and registries and serve portal and API on loopback, with storage of
its own.

It prints a sign-in link that works once. No cluster is read that was not named:
KUBECONFIG is looked at only for --from context:NAME. Registries are read with the
account that docker login has for them, or that the file of --config names.`,
		Example: "  breakwater serve --sample\n  breakwater serve --from context:prod --from staging=context:stg --registry registry.example",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return serve(cmd.Context(), s, c) },
	}
	c.flags(cmd)
	return cmd
}

// server is everything that serve holds open.
type server struct {
	config     config
	streams    streams
	log        *slog.Logger
	data       dataDir
	where      string // the store's file or DSN
	store      *store.Store
	retention  store.Retention
	advisories *followed
	estate     *harborshop.Estate
	transport  http.RoundTripper
	rules      *analyse.Rules
	images     *assess.Assessor
	registries *registries.Watcher
	live       *live.Live
	context    *enrichment.Context
	alerting   *alerting      // nil if no events are taken
	sensor     *runningSensor // of the sample; nil if there is none
}

func serve(ctx context.Context, s streams, c config) (err error) {
	if len(c.from) == 0 && !c.sample && len(c.registries) == 0 && c.file == "" {
		return errors.New("nothing to watch: name a cluster with --from context:NAME or a registry with --registry HOST, or look around with --sample")
	}
	if c.sample && c.ingest == "" {
		c.ingest = "127.0.0.1:0"
	}
	if c.nats.URL != "" && c.ingest == "" {
		return errors.New("--nats is where events wait, and none are taken: give --ingest-listen too")
	}
	level := slog.LevelInfo
	if c.verbose {
		level = slog.LevelDebug
	}
	v := &server{config: c, streams: s, data: dataDir(c.data), log: slog.New(slog.NewTextHandler(s.err, &slog.HandlerOptions{Level: level}))}
	unlock, err := v.data.lock()
	if err != nil {
		return err
	}
	defer unlock()
	listener, err := v.listen()
	if err != nil {
		return err
	}
	defer listener.Close()
	if v.retention, err = c.storage.retention(c.file); err != nil {
		return err
	}
	v.where = cmp.Or(c.storage.where, v.data.place())
	if v.store, err = store.Open(ctx, v.where); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, v.store.Close()) }()
	if err := v.prepare(ctx); err != nil {
		return err
	}
	if err := errors.Join(v.images.Resume(ctx), v.registries.Resume(ctx)); err != nil {
		return err
	}
	if v.estate != nil {
		defer v.estate.Close()
	}
	err = v.run(ctx, listener)
	if v.sensor != nil {
		v.sensor.stop()
	}
	return err
}

// listen opens the port. Beyond loopback it wants TLS: sessions are worth stealing.
func (v *server) listen() (net.Listener, error) {
	host, _, err := net.SplitHostPort(v.config.listen)
	if err != nil {
		return nil, fmt.Errorf("--listen %q: want HOST:PORT, such as 127.0.0.1:7878: %w", v.config.listen, err)
	}
	secure := v.config.tlsCert != "" && v.config.tlsKey != ""
	if ip := net.ParseIP(host); !secure && host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, fmt.Errorf("--listen %s: to listen beyond loopback, give --tls-cert and --tls-key", v.config.listen)
	}
	l, err := net.Listen("tcp", v.config.listen)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("--listen %s: the port is in use: stop what uses it, or give another (port 0 takes a free one)", v.config.listen)
	}
	if err != nil || !secure {
		return l, err
	}
	cert, err := tls.LoadX509KeyPair(v.config.tlsCert, v.config.tlsKey)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("--tls-cert: %w", err), l.Close())
	}
	return tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}), nil
}

// prepare opens advisories, the sample if asked, and the clusters.
func (v *server) prepare(ctx context.Context) (err error) {
	if v.transport, err = mirrors(v.config.mirrors); err != nil {
		return err
	}
	if v.config.sample {
		if err := v.sample(ctx); err != nil {
			return err
		}
	}
	if v.advisories, err = openAdvisories(v.data.advisories()); err != nil {
		return err
	}
	sources, servers, err := v.config.sources(v.log)
	if err != nil {
		return err
	}
	if v.estate != nil {
		for _, c := range v.estate.Clusters {
			sources = append(sources, factsSource(c.Name, func() (*collect.Facts, error) { return kube.ReadFS(c.Manifests) }))
		}
	}
	v.context = enrichment.New(func() *live.World { return v.live.World() })
	for i := range sources {
		sources[i] = v.context.Follow(sources[i])
	}
	v.rules, err = loadRules(v.config.rules)
	if err != nil {
		return err
	}
	connected, reader, err := v.registryConfig()
	if err != nil {
		return err
	}
	owner, err := v.data.owner()
	if err != nil {
		return err
	}
	images := assess.Config{Advisories: v.advisories.db.Load, Records: v.store, Owner: owner, Workers: v.config.scanWorkers, Log: v.log}
	if !v.config.noImages {
		opts := image.Options{Cache: v.store, Transport: v.transport, Keychain: reader.Keychain(), Insecure: v.plainHTTP}
		images.Scan = func(ctx context.Context, ref string) (*image.Inventory, error) { return image.Scan(ctx, ref, opts) }
		images.Resolve = func(ctx context.Context, ref string) (string, error) { return image.Resolve(ctx, ref, opts) }
	}
	v.images = assess.New(images)
	connected.Records, connected.Images, connected.Log = v.store, v.images, v.log
	connected.Changed = func() { v.live.SetRegistryGaps(v.registries.Gaps) }
	v.registries = registries.New(connected)
	v.live, err = live.New(live.Config{Records: v.store, Rules: v.rules, Images: v.images, Log: v.log, SaveEvery: v.config.saveEvery}, sources)
	if err != nil || v.config.ingest == "" {
		return err
	}
	v.alerting, err = v.openAlerting(ctx, servers)
	return err
}

// sample starts the sample estate and brings the advisories it needs.
func (v *server) sample(ctx context.Context) (err error) {
	fmt.Fprintln(v.streams.err, "building the images of the sample estate …")
	if v.estate, err = harborshop.Open(ctx, ""); err != nil {
		return err
	}
	base := v.transport
	if base == nil {
		base = image.Transport()
	}
	v.transport = v.estate.Transport(base)
	_, err = vuln.Import(ctx, v.data.advisories(), []vuln.Source{{Name: "sample", FS: advisories.FS}}, nil)
	return err
}

func (v *server) run(ctx context.Context, listener net.Listener) error {
	assets, built := ui.Assets()
	if !built {
		v.log.Warn("this binary was built without the portal: make build")
	}
	url := v.url(listener)
	c := api.Config{PathTypes: v.rules.PathTypes(), Door: scope.Config{Picture: v.live, Images: v.images, Registries: v.registries, Records: v.store}, About: enrichment.About, Sessions: v.store,
		Advisories: v.advisories.db.Load, Assets: assets, Hosts: v.config.hosts, Version: version(), Log: v.log, Secure: v.config.tlsCert != ""}
	if v.alerting != nil {
		c.Receiving, c.Detections, c.Door.Sensors = v.alerting.receiving, v.alerting.rules, v.store
	}
	handler, err := api.New(c)
	if err != nil {
		return err
	}
	web := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		ErrorLog: slog.NewLogLogger(v.log.Handler(), slog.LevelDebug), BaseContext: func(net.Listener) context.Context { return ctx }}
	here := running{URL: url, PID: os.Getpid(), Store: v.data.elsewhere(v.where)}
	if v.alerting != nil {
		here.Ingest = "https://" + v.alerting.server.Addr().String()
	}
	if err := v.data.announce(here); err != nil {
		return err
	}
	defer os.Remove(v.data.running())
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return v.live.Run(ctx) })
	g.Go(func() error { return v.images.Run(ctx, v.live.Assessed) })
	g.Go(func() error { return v.registries.Run(ctx) })
	g.Go(func() error { return v.advisories.follow(ctx, v.images.AdvisoriesChanged) })
	g.Go(func() error {
		if err := web.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	g.Go(func() error {
		<-ctx.Done()
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		if err := web.Shutdown(end); err != nil {
			return web.Close() // event streams do not end by themselves
		}
		return nil
	})
	if v.alerting != nil {
		g.Go(func() error { return v.alerting.run(ctx) })
	}
	g.Go(func() error { return v.greet(ctx, url) })
	g.Go(func() error { return v.sweep(ctx) })
	return g.Wait()
}

func (v *server) url(l net.Listener) string {
	scheme := "http"
	if v.config.tlsCert != "" {
		scheme = "https"
	}
	return scheme + "://" + l.Addr().String()
}

// greet prints the sign-in link, and the stories of the sample when it is ready.
func (v *server) greet(ctx context.Context, url string) error {
	if v.config.sample {
		if err := errors.Join(v.stories(ctx, v.streams.out), v.alertStory(ctx, v.streams.out), v.sensorStory(ctx, v.streams.out)); err != nil {
			return err
		}
	}
	token, err := v.store.NewSignIn(ctx, 10*time.Minute, operatorScope())
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(v.streams.out, "Breakwater serves %s\nSign in (the link works once, for ten minutes):\n\n  %s\n\n", url, signInLink(url, token))
	return err
}
