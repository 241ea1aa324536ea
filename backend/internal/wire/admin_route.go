package wire

// AdminPrefix is where every path of the admin API starts.
const AdminPrefix = "/api/admin/v1"

// AdminRole is what a caller of the admin API must be.
type AdminRole string

const (
	RoleOpen     AdminRole = ""         // no session needed
	RoleOperator AdminRole = "operator" // any signed-in person
	RoleOwner    AdminRole = "owner"    // whoever configures the appliance
)

// Route is one method of the admin API. The handlers, the OpenAPI document and
// the generated TypeScript client all come from the same table.
type Route struct {
	Method string // GET, POST, PUT, PATCH, DELETE
	Path   string // below AdminPrefix; {name} marks a path parameter
	Name   string // operation id, unique, lowerCamelCase
	Role   AdminRole
	// Query is a struct value whose json tags name the query parameters; nil: none.
	// All query parameters are optional unless its field comment says otherwise.
	Query any
	// Request is a value of the body's struct; nil: no body. When Accepts is
	// set the body is raw bytes of that media type instead and Request is nil.
	Request any
	Accepts string
	// Response is a value of the answer's struct; nil: 204 without a body, or,
	// when Produces is set, raw bytes of that media type. Empty slices and maps
	// are sent as [] and {}, never as null, unless omitempty leaves them out.
	Response any
	Produces string
	// Status is the status of success: 200, 201, 202 or 204.
	Status int
	// MaxBody bounds the request body in bytes; 0: 1 MiB. Above it: 413.
	MaxBody int64
	// Doc says what the route does and which errors are its own.
	Doc string
}

// Problem is the body of every error (RFC 9457, application/problem+json).
type Problem struct {
	Type   string `json:"type"`             // "about:blank" or a stable name, see below
	Title  string `json:"title"`            // short, the same for every case of this type
	Status int    `json:"status"`           // the HTTP status again
	Detail string `json:"detail,omitempty"` // what happened, one sentence
	Field  string `json:"field,omitempty"`  // the input that is wrong: JSON name or settings path
	Hint   string `json:"hint,omitempty"`   // what to do next
	// RetryAfter is in seconds, for 429 and 503.
	RetryAfter int `json:"retry_after,omitempty"`
	// Current is what the server holds now, on conflicts (409) only: a
	// SettingField for settings, a WidgetState for the look.
	Current any `json:"current,omitempty"`
}

// Types of problems that the page branches on. Anything else is "about:blank".
const (
	ProblemSignedOut   = "haoke:signed-out"   // 401: no or an expired session
	ProblemUnclaimed   = "haoke:unclaimed"    // 401: nobody has set a password yet
	ProblemForbidden   = "haoke:forbidden"    // 403: the role does not allow it
	ProblemConflict    = "haoke:conflict"     // 409: changed meanwhile, see Current
	ProblemLocked      = "haoke:locked"       // 409: set in config.toml, environment or flag
	ProblemInvalid     = "haoke:invalid"      // 422: see Field
	ProblemNotFound    = "haoke:not-found"    // 404
	ProblemExists      = "haoke:exists"       // 409: the name is taken
	ProblemTooLarge    = "haoke:too-large"    // 413
	ProblemRateLimited = "haoke:rate-limited" // 429
	ProblemReadOnly    = "haoke:read-only"    // 503: the store refuses writes
)

// ListQuery bounds a listing that has no filter of its own.
type ListQuery struct {
	Limit  int    `json:"limit"`  // 1-200; 0 or absent: 50
	Cursor string `json:"cursor"` // "next" of the previous answer; empty: from the start
}
