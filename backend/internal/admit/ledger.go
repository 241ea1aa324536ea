package admit

import (
	"context"
	"time"

	"haoke/backend/internal/chat"
)

// Ledger keeps what was spent, over restarts. Nil: only this process counts.
type Ledger interface {
	// Spent reads the totals of a day ("2006-01-02"); Month is the sum of that
	// day's month, the day included.
	Spent(ctx context.Context, day string) (Totals, error)
	// Record notes one settled call. It must not block: it hands the entry to
	// a batch.
	Record(Entry)
}

// Totals is what was spent on a day and in its month, in the currency of the
// price table.
type Totals struct {
	Day, Month float64
	Keys       map[string]float64 // of the day
	Visitors   map[string]float64 // of the day
}

// Entry is one settled call. Day is the day on which the call was admitted, in
// the owner's time zone.
type Entry struct {
	Day          string
	At           time.Time
	Provider     string
	Key          string
	Model        string
	Conversation chat.ConversationID
	Visitor      string
	Background   bool
	Usage        chat.Usage
	Cost         float64
}

// Observer is told what happens, for metrics and notices to the owner. Its
// methods must not block and must not call the Gate. Nil: nobody is told.
type Observer interface {
	// Admitted: a call of the class got a lease after waiting.
	Admitted(class Class, key string, waited time.Duration)
	// Returned: a lease that was told of by Admitted is over.
	Returned()
	// Settled: a call's tokens and price are known.
	Settled(Entry)
	// Warned: spending passed 50, 80 or 100 % of a cap; once each per cap and
	// period.
	Warned(Warning)
}

// Warning is a cap that is being approached (Percent 50, 80) or reached (100).
type Warning struct {
	Scope   Scope
	Who     string // the visitor, for ScopeVisitor
	Percent int
	Spent   float64
	Cap     float64
	Period  string // "2006-01-02" or "2006-01"
}

// Scope is what a cap is about.
type Scope string

// The scopes of money caps.
const (
	ScopeVisitor Scope = "visitor"
	ScopeNetwork Scope = "network"
	ScopeDay     Scope = "day"
	ScopeMonth   Scope = "month"
)

// BudgetError is the cause inside a *chat.UpstreamError of FaultBudget.
type BudgetError struct {
	Scope     Scope
	Cap       float64
	Behaviour Behaviour // Offline or People: what the turn should fall back to
	Again     time.Time // when the period ends
}

// Error implements error.
func (e *BudgetError) Error() string { return "money cap reached: " + string(e.Scope) }
