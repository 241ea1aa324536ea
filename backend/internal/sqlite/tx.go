package sqlite

import (
	"database/sql"
	"fmt"
	"reflect"
)

// Tx is what a write operation sees: the writer's connection inside a
// transaction. It is valid only during the operation's function. Statements
// are prepared once and kept, so queries should be constant strings.
type Tx struct {
	conn  *conn
	wrote bool
	lazy  bool // commits do not wait for the disk: see DB.synced
}

// stmt returns the statement of a query for an operation that binds its values
// itself, as those do that run in every turn.
func (tx *Tx) stmt(query string) (*stmt, error) { return tx.conn.prepare(query) }

// exec runs a statement and returns the number of rows it changed.
func (tx *Tx) exec(query string, args ...any) (int64, error) {
	if err := tx.run(query, args...); err != nil {
		return 0, err
	}
	return tx.conn.changes(), nil
}

// insert runs a statement and returns the row id of the inserted row.
func (tx *Tx) insert(query string, args ...any) (int64, error) {
	if err := tx.run(query, args...); err != nil {
		return 0, err
	}
	return tx.conn.lastID(), nil
}

func (tx *Tx) run(query string, args ...any) error {
	s, err := tx.conn.prepare(query)
	if err != nil {
		return err
	}
	s.bind(args)
	return tx.finish(s)
}

// finish runs a statement whose values are bound.
func (tx *Tx) finish(s *stmt) error {
	err := s.run()
	if err == nil {
		tx.wrote = true
	}
	return err
}

// row reads one row; sql.ErrNoRows when there is none.
func (tx *Tx) row(query string, args []any, dest ...any) error {
	s, err := tx.conn.prepare(query)
	if err != nil {
		return err
	}
	defer s.done()
	s.bind(args)
	switch more, err := s.step(); {
	case err != nil:
		return err
	case !more:
		return sql.ErrNoRows
	}
	for i := range dest {
		if err := s.scan(i, dest[i]); err != nil {
			return err
		}
	}
	return nil
}

// bind binds values of the kinds that database/sql takes, but for times: they
// are numbers everywhere.
func (s *stmt) bind(args []any) {
	for _, arg := range args {
		switch v := arg.(type) {
		case nil:
			s.null()
		case int64:
			s.int(v)
		case int:
			s.int(int64(v))
		case string:
			s.text(v)
		case bool:
			s.bool(v)
		case float64:
			s.float(v)
		case []byte:
			s.blob(v)
		default:
			s.bindKind(arg)
		}
	}
}

func (s *stmt) bindKind(arg any) {
	switch v := reflect.ValueOf(arg); v.Kind() {
	case reflect.String:
		s.text(v.String())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		s.int(v.Int())
	case reflect.Uint8, reflect.Uint16, reflect.Uint32:
		s.int(int64(v.Uint()))
	case reflect.Bool:
		s.bool(v.Bool())
	case reflect.Float32, reflect.Float64:
		s.float(v.Float())
	default:
		if s.err == nil {
			s.err = fmt.Errorf("a value of type %T cannot be stored", arg)
		}
	}
}

// scan reads a column into what dest points to.
func (s *stmt) scan(i int, dest any) error {
	v := reflect.ValueOf(dest).Elem()
	if s.isNull(i) && v.Kind() != reflect.Slice {
		return fmt.Errorf("column %d is NULL", i)
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(s.getText(i))
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(s.getInt(i))
	case reflect.Bool:
		v.SetBool(s.getInt(i) != 0)
	case reflect.Float32, reflect.Float64:
		v.SetFloat(s.getFloat(i))
	default:
		b, ok := dest.(*[]byte)
		if !ok {
			return fmt.Errorf("column %d cannot be read into a %T", i, dest)
		}
		*b = nil
		if !s.isNull(i) {
			*b = append([]byte{}, s.view(i)...)
		}
	}
	return nil
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
