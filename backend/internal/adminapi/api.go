// Package adminapi is the admin API behind the window and the browser: one
// handler for each route of wire.AdminRoutes, errors as RFC 9457 problems, the
// OpenAPI document made from the same table, and the live feed.
package adminapi

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-chi/chi/v5"

	"haoke/backend/internal/admit"
	"haoke/backend/internal/auth"
	"haoke/backend/internal/chat"
	"haoke/backend/internal/engine"
	"haoke/backend/internal/filter"
	"haoke/backend/internal/keypool"
	"haoke/backend/internal/logs"
	"haoke/backend/internal/metrics"
	"haoke/backend/internal/offline"
	"haoke/backend/internal/secret"
	"haoke/backend/internal/session"
	"haoke/backend/internal/settings"
	"haoke/backend/internal/sqlite"
	"haoke/backend/internal/update"
	"haoke/backend/internal/upload"
	"haoke/backend/internal/upstream"
	"haoke/backend/internal/wire"
)

// Presence tells who is there now.
type Presence interface {
	// Watching is how many sockets watch a conversation.
	Watching(id chat.ConversationID) int
	// Draft is the answer under way as far as it was shown.
	Draft(id chat.ConversationID) (seq int64, part int, text string, ok bool)
}

// Host is what only the composition root can do.
type Host interface {
	// Addresses are where visitors and the admin page are reached from here.
	Addresses() (public, admin string)
	// Unmoved is why a listener did not go to the address that its setting now
	// has; nil: it did, or path is of no listener.
	Unmoved(path string) error
	// Reload brings changed keys, FAQ or rules into the running parts.
	ReloadKeys(ctx context.Context) error
	ReloadFAQ(ctx context.Context) error
	ReloadFilter(ctx context.Context) error
	// CloseVisitor ends the sockets of a conversation.
	CloseVisitor(id chat.ConversationID)
	// Forget drops what is remembered of a deleted conversation.
	Forget(id chat.ConversationID)
	// Paused and Pause: no new conversations are taken.
	Paused() bool
	Pause(on bool)
	// Archive is the cold tier.
	Archive() Archive
}

// Archive is what the API asks of the cold tier.
type Archive interface {
	// Read returns a cold conversation's messages without thawing it.
	Read(ctx context.Context, id chat.ConversationID) ([]chat.Message, error)
	// Seal makes a conversation cold now.
	Seal(ctx context.Context, id chat.ConversationID) error
	// Status, Test and Run serve the archive page.
	Status(ctx context.Context) (wire.ArchiveStatus, error)
	Test(ctx context.Context, probe wire.ArchiveProbe) (wire.ArchiveTest, error)
	Run(ctx context.Context) (wire.ArchiveRun, error)
	// Troubles are what needs the owner.
	Troubles() []wire.Trouble
}

// Deps are the parts that the API shows and steers.
type Deps struct {
	Guard    *auth.Guard
	Settings *settings.Store
	DB       *sqlite.DB
	Sealer   *secret.Sealer
	Sessions *session.Manager
	Engine   *engine.Engine
	Presence Presence
	Gate     *admit.Gate
	Pool     *keypool.Pool
	Upstream *upstream.Client
	Metrics  *metrics.Recorder
	Logs     *logs.Log
	Filter   func() *filter.Filter
	FAQ      func() *offline.Answerer
	// FAQSilent reports that an entry is the demo's and not said now; nil: none.
	FAQSilent func(sqlite.FAQEntry) bool
	Ledger    *sqlite.Ledger
	Host      Host
	Log       *slog.Logger

	DataDir    string
	ConfigFile string // in use; "": none
	Version    string
	Commit     string
	// Updates looks for newer versions and installs them; UpdateAddress is where,
	// unless a setting says otherwise ("": nowhere).
	Updates       *update.Updater
	UpdateAddress string
	// Probe reports who holds the address of a setting ("": not known) and why it
	// cannot be listened on; nil: it is tried here.
	Probe func(setting, addr string) (holder string, err error)
	// Files serves what visitors sent, by the last element of the path; nil:
	// there is none.
	Files http.Handler
	// Keep stores a file under the rules for uploads.
	Keep func(r io.Reader, name string) (upload.File, error)
	Zone func() *time.Location
	Now  func() time.Time // nil: time.Now
}

// API serves the admin API. It is safe for concurrent use.
type API struct {
	Deps
	routes  []wire.Route
	handle  map[string]func(*call) (any, error)
	router  http.Handler
	live    *Live
	started time.Time
	atStart *settings.Settings // for what waits for a restart
	work    backupWork
	filters filterWork
	planned schedule
	keys    sync.Mutex // one change of keys or providers at a time
}

// New makes the API. Every route has its handler: a route without one is an
// error, as is a handler without a route.
func New(d Deps) (*API, error) {
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Probe == nil {
		d.Probe = probe
	}
	if d.Files == nil {
		d.Files = http.NotFoundHandler()
	}
	if d.Keep == nil {
		d.Keep = func(io.Reader, string) (upload.File, error) { return upload.File{}, upload.ErrType }
	}
	a := &API{Deps: d, routes: wire.AdminRoutes(), started: d.Now(), atStart: d.Settings.Current()}
	a.live = newLive(a)
	a.handle = a.handlers()
	if err := a.complete(); err != nil {
		return nil, err
	}
	a.router = a.build()
	return a, nil
}

// handlers is the table of all handlers by the route's name.
func (a *API) handlers() map[string]func(*call) (any, error) {
	all := map[string]func(*call) (any, error){}
	for _, part := range []map[string]func(*call) (any, error){
		a.sessionHandlers(), a.operatorHandlers(), a.statusHandlers(), a.conversationHandlers(), a.leftHandlers(),
		a.faqHandlers(), a.filterHandlers(), a.listHandlers(), a.patternHandlers(), a.keyHandlers(), a.providerHandlers(),
		a.settingsHandlers(), a.widgetHandlers(), a.archiveHandlers(), a.backupHandlers(), a.systemHandlers(), a.liveHandlers(),
	} {
		for name, h := range part {
			all[name] = h
		}
	}
	return all
}

func (a *API) complete() error {
	names := map[string]bool{}
	for _, r := range a.routes {
		names[r.Name] = true
		if a.handle[r.Name] == nil {
			return fmt.Errorf("admin API: the route %s has no handler", r.Name)
		}
	}
	for name := range a.handle {
		if !names[name] {
			return fmt.Errorf("admin API: the handler %s has no route", name)
		}
	}
	return nil
}

// Live is the feed of events; it wants to be told what happens and to be run.
func (a *API) Live() *Live { return a.live }

// ServeHTTP serves everything under wire.AdminPrefix. The caller has checked
// Host and origin and put the operator into the context (auth.Guard).
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.router.ServeHTTP(w, r) }

func (a *API) build() http.Handler {
	router := chi.NewRouter()
	router.NotFound(func(w http.ResponseWriter, r *http.Request) {
		writeProblem(w, wire.Problem{Type: wire.ProblemNotFound, Title: "Not found", Status: 404, Detail: "There is no " + r.URL.Path + " here.", Hint: "GET " + wire.AdminPrefix + "/openapi.json lists what there is."})
	})
	router.MethodNotAllowed(func(w http.ResponseWriter, r *http.Request) {
		writeProblem(w, wire.Problem{Title: "Method not allowed", Status: 405, Detail: r.Method + " is not possible here."})
	})
	router.Route(wire.AdminPrefix, func(sub chi.Router) {
		doc := openAPI(a.routes, a.Version)
		sub.Get("/openapi.json", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.Write(doc)
		})
		// Fixed paths before those with parameters, as chi matches both.
		routes := slices.Clone(a.routes)
		slices.SortStableFunc(routes, func(x, y wire.Route) int {
			return strings.Count(x.Path, "{") - strings.Count(y.Path, "{")
		})
		for _, route := range routes {
			h := a.Guard.Require(auth.Role(route.Role))(a.serve(route))
			sub.Method(route.Method, route.Path, h)
		}
	})
	return router
}

// defaultBody bounds request bodies whose route says nothing.
const defaultBody = 1 << 20

// serve is the adapter from a handler that returns to one that writes.
func (a *API) serve(route wire.Route) http.Handler {
	run := a.handle[route.Name]
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		limit := route.MaxBody
		if limit == 0 {
			limit = defaultBody
		}
		if r.Body != nil {
			r.Body = http.MaxBytesReader(w, r.Body, limit)
		}
		who, _ := auth.Operator(r.Context())
		c := &call{w: w, r: r, route: &route, who: who}
		out, err := a.guarded(run, c)
		switch {
		case c.done:
			if err != nil && r.Context().Err() == nil {
				a.Log.Warn("an answer was cut off", "route", route.Name, "err", err)
			}
		case err != nil:
			p := a.problem(err)
			if p.Status >= 500 && r.Context().Err() == nil {
				a.Log.Error("an admin request failed", "route", route.Name, "err", err)
			}
			writeProblem(w, p)
		case out == nil:
			w.WriteHeader(route.Status)
		default:
			writeJSON(w, route.Status, out)
		}
	})
}

// guarded runs a handler; one that panics is an internal error of this request
// alone.
func (a *API) guarded(run func(*call) (any, error), c *call) (out any, err error) {
	defer func() {
		if v := recover(); v != nil {
			if v == http.ErrAbortHandler {
				panic(v)
			}
			out, err = nil, fmt.Errorf("panic: %v\n%s", v, debug.Stack())
		}
	}()
	return run(c)
}
