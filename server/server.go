// Package server wires a running server: it opens what a Config names, runs it until
// the context ends, and closes it. It knows no flags and prints no results.
package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/breakwater-sec/breakwater/analyse"
	"github.com/breakwater-sec/breakwater/api"
	"github.com/breakwater-sec/breakwater/assess"
	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/collect/kube"
	"github.com/breakwater-sec/breakwater/collect/registry"
	"github.com/breakwater-sec/breakwater/datadir"
	"github.com/breakwater-sec/breakwater/egress"
	"github.com/breakwater-sec/breakwater/enrichment"
	harborshop "github.com/breakwater-sec/breakwater/examples/harbor-shop"
	"github.com/breakwater-sec/breakwater/gate"
	"github.com/breakwater-sec/breakwater/image"
	"github.com/breakwater-sec/breakwater/live"
	"github.com/breakwater-sec/breakwater/remedy"
	"github.com/breakwater-sec/breakwater/scope"
	"github.com/breakwater-sec/breakwater/store"
	"github.com/breakwater-sec/breakwater/ui"
	"github.com/breakwater-sec/breakwater/watch"
)

// Server is everything that a running server holds open.
type Server struct {
	config     Config
	progress   io.Writer
	log        *slog.Logger
	Data       datadir.Dir
	where      string // the store's file or DSN
	Store      *store.Store
	retention  store.Retention
	owner      string // the name by which it shares records with other servers
	advisories *followed
	Estate     *harborshop.Estate
	egress     egress.Policy // what flags and the sample allow
	reader     registry.Reader
	exceptions *exceptions
	endReaders func() // nil if images are not read in a cage
	rules      *analyse.Rules
	*watch.Watch
	Context  *enrichment.Context
	alerting *alerting // nil if no events are taken
	door     *door
	entry    *entry
	web      *http.Server // what answers at the door's ports
	limits   Limits
	disk     *disk
	health   health
	measured measured
	uploads  sync.Mutex
	told     levels
	began    time.Time
	metrics  net.Listener // nil if nobody asks for metrics
	// metricsToken is what who asks for them must show; empty: nothing, on loopback.
	metricsToken string
}

// Run serves until ctx ends, and says on progress what it does. It calls ready once it
// serves, with the address of the portal.
func Run(ctx context.Context, c Config, progress io.Writer, ready func(ctx context.Context, s *Server, url string) error) (err error) {
	if len(c.From) == 0 && !c.Sample && len(c.Registries) == 0 && c.File == "" {
		return errors.New("nothing to watch: name a cluster with --from context:NAME or a registry with --registry HOST, or " +
			"look around with --sample")
	}
	data := datadir.Dir(c.Data)
	if c.Sample {
		if err := c.alone(); err != nil {
			return err
		}
		data = data.Sample()
		c.Storage.Where, c.Ingest = data.Database(), cmp.Or(c.Ingest, "127.0.0.1:0")
	}
	if err := c.paired(); err != nil {
		return err
	}
	if c.NATS.URL != "" && c.Ingest == "" {
		return errors.New("--nats is where events wait, and none are taken: give --ingest-listen too")
	}
	v := &Server{config: c, progress: progress, Data: data, began: time.Now()}
	if v.log, err = c.Log.logger(progress, c.Verbose, &v.told); err != nil {
		return err
	}
	reserve, err := ReadReserve(cmp.Or(c.MinFree, DefaultReserve))
	if err != nil {
		return fmt.Errorf("--min-free: %w", err)
	}
	if err := c.times(); err != nil {
		return err
	}
	if v.limits, err = c.limits(); err != nil {
		return err
	}
	unlock, err := v.own(datadir.Dir(c.Data))
	if err != nil {
		return err
	}
	defer unlock()
	v.where = cmp.Or(c.Storage.Where, v.Data.Place())
	v.disk = newDisk(v.Data, v.where, reserve, v.log)
	door, err := v.open()
	if err != nil {
		return err
	}
	defer door.close()
	v.entry = newEntry()
	v.web = gate.Server(ctx, v.limits.pace().Handler(v.entry), v.log)
	let, ctx := errgroup.WithContext(ctx)
	door.let(let, v.web)
	err = v.start(ctx, door, ready)
	return errors.Join(err, v.web.Close(), let.Wait()) // what is under way has ended, if it was let in
}

// start opens what the server needs, and serves.
func (v *Server) start(ctx context.Context, door *door, ready func(context.Context, *Server, string) error) (err error) {
	if v.metrics, err = v.listenMetrics(); err != nil {
		return err
	}
	if v.metrics != nil {
		defer v.metrics.Close()
	}
	if v.retention, err = v.config.Storage.retention(v.config.File); err != nil {
		return err
	}
	v.limits.retained(v.retention)
	if v.Store, err = store.Open(ctx, v.where); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, v.Store.Close()) }()
	v.Store = v.Store.For(door.name)
	if err := v.started(ctx); err != nil {
		return err
	}
	defer func() {
		if v.Estate != nil {
			_ = v.Estate.Close() // what it serves is gone either way
		}
	}()
	defer func() {
		if v.endReaders != nil {
			v.endReaders()
		}
	}()
	v.entry.wait("what is watched is not prepared yet")
	err = v.prepare(ctx)
	if err == nil {
		v.entry.wait("the last picture is not read yet")
		err = v.Resume(ctx)
	}
	if err == nil {
		err = v.run(ctx, door, ready)
	}
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return nil // it was told to end before it was done with starting
	}
	return err
}

// prepare opens advisories, the sample if asked, and the clusters.
func (v *Server) prepare(ctx context.Context) (err error) {
	if v.egress, err = v.config.Egress.Policy(); err != nil {
		return err
	}
	if v.config.Sample {
		if err := v.sample(ctx); err != nil {
			return err
		}
	}
	if v.advisories, err = openAdvisories(v.Data.Advisories()); err != nil {
		return err
	}
	sources, servers, err := v.config.sources(v.limits, v.log, v.disk.hasRoom)
	if err != nil {
		return err
	}
	if v.Estate != nil {
		for _, c := range v.Estate.Clusters {
			sources = append(sources, factsSource(c.Name, func() (*collect.Facts, error) { return kube.ReadFS(c.Manifests) }))
		}
	}
	v.Context = enrichment.New(func() *live.World { return v.Live.World() })
	for i := range sources {
		sources[i] = v.Context.Follow(sources[i])
	}
	v.rules, err = LoadRules(v.config.Rules)
	if err != nil {
		return err
	}
	if v.exceptions, err = openExceptions(v.config.Exceptions, v.Store, func(why error) {
		v.log.Warn("exceptions cannot be read and count as they were", "error", why)
	}); err != nil {
		return err
	}
	connected, reader, err := v.registryConfig()
	if err != nil {
		return err
	}
	owner, err := v.Data.Owner()
	if err != nil {
		return err
	}
	v.owner = owner
	images := assess.Config{Advisories: v.advisories.db.Load, Records: v.Store, Owner: owner, Workers: v.config.ScanWorkers, Log: v.log}
	if !v.config.NoImages {
		opts := image.Options{Cache: v.Store, Transport: &network{now: v.policy}, Keychain: reader.Keychain(), Insecure: v.plainHTTP,
			Prefer: v.prefer}
		images.Beside, v.reader = v.beside, reader
		images.Quiet = func() []string { return v.Registries.Quiet() }
		if opts.Salt, err = v.Store.Salt(ctx); err != nil {
			return err
		}
		read := v.scanner(ctx, opts)
		images.Scan = func(ctx context.Context, ref image.Reference) (*image.Inventory, error) {
			if err := v.disk.wait(ctx); err != nil {
				return nil, err
			}
			return read(ctx, ref)
		}
		images.Resolve = func(ctx context.Context, ref image.Reference) (string, error) { return image.Resolve(ctx, ref, opts) }
	}
	connected.Records, connected.Log = v.Store, v.log
	v.Watch, err = watch.New(watch.Config{Images: images, Registries: connected, Sources: sources,
		Live: live.Config{Records: v.Store, Rules: v.rules, Log: v.log, SaveEvery: v.config.SaveEvery}})
	if err != nil || v.config.Ingest == "" {
		return err
	}
	v.alerting, err = v.openAlerting(ctx, servers)
	return err
}

// coded is a path with the code of its fixes.
func (v *Server) coded(f *collect.Facts, p analyse.Path) analyse.Path {
	return remedy.New(f, v.rules).Path(p)
}

func (v *Server) run(ctx context.Context, door *door, ready func(context.Context, *Server, string) error) error {
	assets, built := ui.Assets()
	if !built {
		v.log.Warn("this binary was built without the portal: make build")
	}
	c := api.Config{PathTypes: v.rules.PathTypes(), Coded: v.coded,
		Unscoped: scope.Config{Picture: v.Live, Images: v.Images, Registries: v.Registries, Records: v.Store, Tokens: v.Store,
			Exceptions: v.Store},
		About:    enrichment.About,
		Sessions: v.Store, Senders: v.Store, Pushed: v.Registries.Pushed, Uploaded: v.uploaded,
		Advisories: v.advisories.db.Load, Assets: assets, URL: door.url, Hosts: v.config.Hosts, Version: Version(), Log: v.log,
		Secure: v.config.TLSCert != "", Unready: v.Unready, Room: v.noRoom, Storage: v.storage,
		Limits: v.limits.api(), Shown: v.shown, Exceptions: v.exceptions.now}
	if v.alerting != nil {
		c.Coverage = v.alerting.coverage
		c.Receiving, c.Detections, c.Unscoped.Sensors = v.alerting.receiving, v.alerting.rules, v.Store
		c.Waiting = v.waiting
	}
	handler, err := api.New(c)
	if err != nil {
		return err
	}
	here := datadir.Running{URL: door.url, PID: os.Getpid(), Store: v.Data.Elsewhere(v.where)}
	if v.alerting != nil {
		here.Ingest = "https://" + v.alerting.server.Addr().String()
	}
	if err := v.Data.Announce(here); err != nil {
		return err
	}
	defer os.Remove(v.Data.RunningFile())
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return v.Watch.Run(ctx) })
	g.Go(func() error {
		return v.advisories.follow(ctx, func() { v.Images.AdvisoriesChanged(); v.Live.AdvisoriesChanged(ctx) })
	})
	if v.config.AdvisoriesEvery > 0 {
		g.Go(func() error { v.fetchAdvisories(ctx); return nil })
	}
	v.entry.open(handler)
	door.serve(ctx, g, v.web, v.limits.pace().Handler(handler), v.operator)
	if v.alerting != nil {
		g.Go(func() error { return v.alerting.run(ctx) })
	}
	g.Go(func() error { return ready(ctx, v, door.url) })
	g.Go(func() error { return v.sweep(ctx) })
	if !v.config.NoImages {
		g.Go(func() error { v.lookBeside(ctx, v.reader); return nil })
	}
	g.Go(func() error { return v.disk.watch(ctx) })
	g.Go(func() error { return v.probe(ctx) })
	g.Go(func() error { return v.followSizes(ctx) })
	g.Go(func() error { return v.serveMetrics(ctx) })
	return g.Wait()
}

// EventsAddr is where clusters send events.
func (v *Server) EventsAddr() string { return v.alerting.server.Addr().String() }
