package sqlite

import (
	"context"
	"database/sql"
	"fmt"
)

// Tx is what a write operation sees: the writer's connection inside a
// transaction. It is valid only during the operation's function. Statements
// are prepared once and kept, so queries should be constant strings.
type Tx struct {
	conn  *sql.Conn
	stmts map[string]*sql.Stmt
	wrote bool
}

// ctx is what statements of the writer run under: an operation that was begun
// is finished, and a context that can end costs a goroutine a statement.
func (tx *Tx) ctx() context.Context { return context.Background() }

func (tx *Tx) stmt(query string) (*sql.Stmt, error) {
	if s := tx.stmts[query]; s != nil {
		return s, nil
	}
	s, err := tx.conn.PrepareContext(tx.ctx(), query)
	if err != nil {
		return nil, fmt.Errorf("prepare: %w", err)
	}
	tx.stmts[query] = s
	return s, nil
}

// exec runs a statement and returns the number of rows it changed.
func (tx *Tx) exec(query string, args ...any) (int64, error) {
	r, err := tx.run(query, args)
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

// insert runs a statement and returns the row id of the inserted row.
func (tx *Tx) insert(query string, args ...any) (int64, error) {
	r, err := tx.run(query, args)
	if err != nil {
		return 0, err
	}
	return r.LastInsertId()
}

func (tx *Tx) run(query string, args []any) (sql.Result, error) {
	s, err := tx.stmt(query)
	if err != nil {
		return nil, err
	}
	r, err := s.ExecContext(tx.ctx(), args...)
	if err == nil {
		tx.wrote = true
	}
	return r, err
}

// row reads one row; sql.ErrNoRows when there is none.
func (tx *Tx) row(query string, args []any, dest ...any) error {
	s, err := tx.stmt(query)
	if err != nil {
		return err
	}
	return s.QueryRowContext(tx.ctx(), args...).Scan(dest...)
}

// eachRow drains rows into f and always closes them: a forgotten cursor pins
// the WAL, which then grows without bound.
func eachRow(rows *sql.Rows, err error, f func(*sql.Rows) error) error {
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := f(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}
