// Package auth decides who may use the admin side: people by password and
// session cookie, scripts by bearer token, the native window by the identity
// that its door puts into the request's context. It also keeps foreign pages
// and rebound names out.
//
// Nothing is ever silently open: until somebody has set a password, the
// browser's door offers only the set-up, only on this machine, and only to who
// can read the one-time token in the log.
package auth

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"time"
)

// Role is what a person may do.
type Role string

// Roles, by rank.
const (
	RoleOperator Role = "operator" // answers visitors
	RoleOwner    Role = "owner"    // configures the appliance as well
)

// allows reports whether r may do what asks for want; "" asks for nothing.
func (r Role) allows(want Role) bool {
	return want == "" || r == RoleOwner || r == want
}

// Door is how a request came in.
type Door string

// Doors.
const (
	DoorWindow  Door = "window"  // the native window
	DoorBrowser Door = "browser" // a session cookie
	DoorToken   Door = "token"   // the scripts' bearer token
)

// Person is who is behind a request.
type Person struct {
	Name    string
	Display string // what visitors read
	Role    Role
	Door    Door
	// Session is the hash of the session's token; nil at the other doors.
	Session []byte
	script  [sha256.Size]byte // the hash of the scripts' token; zero at the other doors
}

type contextKey struct{}

// WithOperator returns a context in which p has signed in. The native window's
// door uses it; no request from a network can.
func WithOperator(ctx context.Context, p Person) context.Context {
	return context.WithValue(ctx, contextKey{}, p)
}

// Operator returns who has signed in, false when nobody has.
func Operator(ctx context.Context) (Person, bool) {
	p, ok := ctx.Value(contextKey{}).(Person)
	return p, ok
}

// LocalOwner is the person at this machine's screen.
func LocalOwner() Person {
	return Person{Name: "owner", Display: "", Role: RoleOwner, Door: DoorWindow}
}

// Account is a person who may sign in.
type Account struct {
	Name     string // 1-40 of a-z 0-9 . _ -
	Display  string // 1-60 characters
	Role     Role
	Hash     string // argon2id in PHC form
	Created  time.Time
	Seen     time.Time // zero: never
	Sessions int       // open ones; filled by List
}

// Accounts keeps people. Put adds when fresh, ErrExists if the name is taken,
// and else changes display, role and hash. Delete ends the sessions too.
type Accounts interface {
	ListAccounts(ctx context.Context) ([]Account, error)
	PutAccount(ctx context.Context, a Account, fresh bool) error
	DeleteAccount(ctx context.Context, name string) error
}

// Session is an open sign-in.
type Session struct {
	Token    []byte // SHA-256 of the cookie's value, so that a stolen database opens nothing
	Operator string
	Created  time.Time
	Seen     time.Time
	Expires  time.Time
	IP       string
	Agent    string
}

// Sessions keeps sign-ins. Put adds when fresh and else notes Seen and Expires.
// Get gives ErrNotFound for what is unknown. End removes one, or with a nil
// token all of a person; what is gone already is no error.
type Sessions interface {
	PutSession(ctx context.Context, s Session, fresh bool) error
	GetSession(ctx context.Context, token []byte) (Session, error)
	EndSessions(ctx context.Context, operator string, token []byte) error
}

// Errors that callers map to answers.
var (
	ErrWrong     = errors.New("name or password is wrong")
	ErrUnclaimed = errors.New("nobody has set a password yet")
	ErrClaimed   = errors.New("the appliance has an owner already")
	ErrNotHere   = errors.New("the appliance can be claimed on this machine only")
	ErrToken     = errors.New("the token is wrong or has been used")
	ErrNotFound  = errors.New("not found")
	ErrExists    = errors.New("the name is taken")
	ErrLastOwner = errors.New("somebody must remain the owner")
)

// TooMany is the answer to too many tries.
type TooMany struct {
	RetryAfter time.Duration // rounded up to seconds
}

// Error implements error.
func (e *TooMany) Error() string {
	return fmt.Sprintf("too many tries; try again in %s", e.RetryAfter)
}

// Invalid is an input that cannot be taken.
type Invalid struct {
	Field   string // name, display, role, password, current
	Message string
}

// Error implements error.
func (e *Invalid) Error() string { return e.Field + " " + e.Message }

// Config is what a Guard needs. Functions are asked anew each time, so that
// changed settings take effect at once; nil ones give the zero value.
type Config struct {
	// Instance is the suffix of the cookie's name, for several appliances on
	// one machine: cookies do not know ports.
	Instance string
	Token    func() string        // of scripts; "": none
	Idle     func() time.Duration // end of a session without requests; 0: 12 h
	Max      func() time.Duration // end of a session in any case; 0: 30 days
	// Secure: the browser's door is HTTPS.
	Secure bool
	// ClientIP gives the address of who asks, trusted proxies resolved; nil:
	// the connection's.
	ClientIP func(*http.Request) netip.Addr
	Now      func() time.Time // nil: time.Now
}

// Guard is the admin side's door keeper. Its methods are safe for concurrent
// use.
type Guard struct {
	cfg      Config
	accounts Accounts
	sessions Sessions
	hasher   *hasher
	tries    *backoff
	claim    *claimToken
	tickets  *Tickets
	local    *localSessions
}

// New returns a Guard.
func New(cfg Config, accounts Accounts, sessions Sessions) *Guard {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Token == nil {
		cfg.Token = func() string { return "" }
	}
	if cfg.ClientIP == nil {
		cfg.ClientIP = connectionIP
	}
	return &Guard{
		cfg: cfg, accounts: accounts, sessions: sessions, hasher: newHasher(standardCost()),
		tries: newBackoff(cfg.Now), claim: newClaimToken(), tickets: NewTickets(cfg.Now), local: newLocalSessions(),
	}
}

// Tickets returns the Guard's single-use tickets.
func (g *Guard) Tickets() *Tickets { return g.tickets }

func connectionIP(r *http.Request) netip.Addr {
	ap, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return ap.Addr().Unmap()
}

func orElse(f func() time.Duration, d time.Duration) time.Duration {
	if f != nil {
		if v := f(); v > 0 {
			return v
		}
	}
	return d
}

func (g *Guard) idle() time.Duration { return orElse(g.cfg.Idle, 12*time.Hour) }
func (g *Guard) max() time.Duration  { return orElse(g.cfg.Max, 30*24*time.Hour) }
