package server

import (
	"runtime/debug"
	"time"

	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/ingest"
)

// Config is everything a server can be told. Parts get fields, never the struct.
type Config struct {
	From   []string
	Sample bool
	Listen string
	Hosts  []string
	// Settings are the flags as they were given, for the record of what people did.
	Settings []string
	// Operator is what who asks over the socket of the data folder may see.
	Operator graph.Scope
	Ingest   string
	// SensorCertificates is how long a sensor's certificate lives (0: a day); SensorTokens
	// lets sensors of before there were certificates send with their join token.
	SensorCertificates time.Duration
	SensorTokens       bool
	// NATS is where events wait, if not in this process.
	NATS ingest.NATS
	// Proxies are the addresses of load balancers before API servers.
	Proxies []string
	Data    string
	Storage Storage
	// MinFree is how much of the disk is to stay free, see ReadReserve.
	MinFree string
	Log     Log
	Metrics Metrics
	// TLSCert and tlsKey are needed to listen beyond loopback.
	TLSCert, TLSKey string
	Secrets         bool
	NoImages        bool
	// Caged says that this process is the program, which reads each image in a child of its own.
	Caged bool
	// Egress is what images may be fetched from beyond registries of the internet.
	Egress Egress
	// Registries are read whole; file is the configuration file.
	Registries    []string
	File          string
	RegistryEvery time.Duration
	// AdvisoriesEvery is how often advisories are fetched (0: never), AdvisoriesMirror where, if not from who publishes them.
	AdvisoriesEvery  time.Duration
	AdvisoriesMirror string
	RegistryQPS      float64
	Rules            string
	// Exceptions is a file of vulnerabilities that people accepted; it is read again when it changes.
	Exceptions  string
	ScanWorkers int
	QPS         float32
	SaveEvery   time.Duration
	Verbose     bool
	// Limits are NAME=VALUE, of EveryLimit.
	Limits []string
}

// NATSVariable names the NATS cluster: an address may hold a password, and flags are seen
// by everyone who lists processes.
const NATSVariable = "BREAKWATER_NATS"

// Version is what the Go toolchain knows of this build.
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	v := info.Main.Version
	if v == "" || v == "(devel)" {
		v = "devel"
	}
	return v
}
