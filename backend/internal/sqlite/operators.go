package sqlite

import (
	"context"
	"database/sql"
	"time"
)

// Operator is an account of the admin page.
type Operator struct {
	Name    string // sign-in name
	Display string // what visitors read
	Role    string // "owner" or "operator"
	Hash    string // argon2id in PHC form, never the password
	Created time.Time
	Seen    time.Time // zero: never signed in
	SignIns int       // open ones; set by List
}

// SignIn is an open session of the admin page. Token is a hash of the cookie's
// value, so that a stolen backup opens nothing.
type SignIn struct {
	Token    []byte
	Operator string
	Created  time.Time
	Seen     time.Time
	Expires  time.Time
	IP       string
	Agent    string
}

// Operators stores accounts and sign-ins.
type Operators struct{ db *DB }

// Operators returns the store of accounts.
func (db *DB) Operators() *Operators { return &Operators{db} }

const operatorQuery = `SELECT name, display, role, hash, created_at, seen_at,
	(SELECT count(*) FROM signins WHERE operator = name AND expires_at > ?) FROM operators `

// List returns the accounts by name.
func (o *Operators) List(ctx context.Context) ([]Operator, error) {
	out, err := o.query(ctx, operatorQuery+"ORDER BY name", o.db.now())
	return out, wrap("list operators", err)
}

// Get returns an account, ErrNoRow when there is none of that name.
func (o *Operators) Get(ctx context.Context, name string) (Operator, error) {
	out, err := o.query(ctx, operatorQuery+"WHERE name = ?", o.db.now(), name)
	if err == nil && len(out) == 0 {
		err = ErrNoRow
	}
	if err != nil {
		return Operator{}, wrap("read operator", err)
	}
	return out[0], nil
}

func (o *Operators) query(ctx context.Context, query string, args ...any) ([]Operator, error) {
	var out []Operator
	err := o.db.each(ctx, query, args, func(r *sql.Rows) error {
		var x Operator
		var created, seen int64
		err := r.Scan(&x.Name, &x.Display, &x.Role, &x.Hash, &created, &seen, &x.SignIns)
		x.Created, x.Seen = fromMillis(created), fromMillis(seen)
		out = append(out, x)
		return err
	})
	return out, err
}

// Add adds an account; ErrExists when the name is taken.
func (o *Operators) Add(ctx context.Context, x Operator) error {
	return wrap("add operator", o.db.write(ctx, func(tx *Tx) error {
		n, err := tx.exec("INSERT INTO operators (name, display, role, hash, created_at) VALUES (?,?,?,?,?) ON CONFLICT DO NOTHING",
			x.Name, x.Display, x.Role, x.Hash, o.db.now())
		if err == nil && n == 0 {
			return ErrExists
		}
		return err
	}))
}

// Change replaces display name, role and hash of an account; ErrNoRow when
// there is none of that name.
func (o *Operators) Change(ctx context.Context, x Operator) error {
	return wrap("change operator", o.db.write(ctx, func(tx *Tx) error {
		return changed(tx.exec("UPDATE operators SET display = ?, role = ?, hash = ? WHERE name = ?", x.Display, x.Role, x.Hash, x.Name))
	}))
}

// Delete removes an account and its sign-ins.
func (o *Operators) Delete(ctx context.Context, name string) error {
	return o.db.deleteOne(ctx, "delete operator", "DELETE FROM operators WHERE name = ?", name)
}

// PutSignIn stores a new sign-in and notes that the operator was seen.
func (o *Operators) PutSignIn(ctx context.Context, s SignIn) error {
	return wrap("store sign-in", o.db.write(ctx, func(tx *Tx) error {
		if err := changed(tx.exec("UPDATE operators SET seen_at = ? WHERE name = ?", o.db.now(), s.Operator)); err != nil {
			return err
		}
		if _, err := tx.exec("DELETE FROM signins WHERE expires_at <= ?", o.db.now()); err != nil {
			return err
		}
		_, err := tx.exec("INSERT INTO signins (token, operator, created_at, seen_at, expires_at, ip, agent) VALUES (?,?,?,?,?,?,?)",
			s.Token, s.Operator, millis(s.Created), millis(s.Seen), millis(s.Expires), s.IP, s.Agent)
		return err
	}))
}

// SignIn returns a sign-in by the hash of its token, ErrNoRow when there is
// none or it has expired.
func (o *Operators) SignIn(ctx context.Context, token []byte) (SignIn, error) {
	s := SignIn{Token: token}
	var created, seen, expires int64
	err := o.db.row(ctx, "SELECT operator, created_at, seen_at, expires_at, ip, agent FROM signins WHERE token = ? AND expires_at > ?",
		[]any{token, o.db.now()}, &s.Operator, &created, &seen, &expires, &s.IP, &s.Agent)
	if noRows(err) {
		err = ErrNoRow
	}
	s.Created, s.Seen, s.Expires = fromMillis(created), fromMillis(seen), fromMillis(expires)
	return s, wrap("read sign-in", err)
}

// Touch notes that a sign-in was used and when it expires now.
func (o *Operators) Touch(ctx context.Context, token []byte, expires time.Time) error {
	return wrap("note sign-in", o.db.writeIdle(ctx, func(tx *Tx) error {
		return changed(tx.exec("UPDATE signins SET seen_at = ?, expires_at = ? WHERE token = ?", o.db.now(), millis(expires), token))
	}))
}

// SignOut removes one sign-in. One that is gone already is no error.
func (o *Operators) SignOut(ctx context.Context, token []byte) error {
	return wrap("sign out", o.db.write(ctx, func(tx *Tx) error {
		_, err := tx.exec("DELETE FROM signins WHERE token = ?", token)
		return err
	}))
}

// SignOutAll removes all sign-ins of an operator; with an empty name, of all.
func (o *Operators) SignOutAll(ctx context.Context, name string) error {
	return wrap("sign out everywhere", o.db.write(ctx, func(tx *Tx) error {
		_, err := tx.exec("DELETE FROM signins WHERE ?1 = '' OR operator = ?1", name)
		return err
	}))
}
