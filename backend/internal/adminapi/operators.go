package adminapi

import (
	"time"

	"haoke/backend/internal/auth"
	"haoke/backend/internal/wire"
)

func (a *API) operatorHandlers() map[string]func(*call) (any, error) {
	return map[string]func(*call) (any, error){
		"listOperators":  a.listOperators,
		"addOperator":    a.addOperator,
		"changeOperator": a.changeOperator,
		"removeOperator": a.removeOperator,
	}
}

func (c *call) person(x auth.Account) wire.Operator {
	return wire.Operator{
		Name: x.Name, Display: x.Display, Role: wire.AdminRole(x.Role), CreatedAt: x.Created.UTC(),
		SeenAt: sometime(x.Seen), Sessions: x.Sessions, Self: x.Name == c.who.Name,
	}
}

// sometime is nil for the zero time.
func sometime(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

func (a *API) listOperators(c *call) (any, error) {
	people, err := a.Guard.People(c.ctx())
	if err != nil {
		return nil, err
	}
	out := wire.OperatorList{Items: []wire.Operator{}}
	for _, x := range people {
		out.Items = append(out.Items, c.person(x))
	}
	return out, nil
}

func (a *API) addOperator(c *call) (any, error) {
	in, err := body[wire.OperatorNew](c)
	if err != nil {
		return nil, err
	}
	x, err := a.Guard.AddPerson(c.ctx(), in.Name, in.Display, auth.Role(in.Role), in.Password)
	if err != nil {
		return nil, err
	}
	return c.person(x), nil
}

func (a *API) changeOperator(c *call) (any, error) {
	in, err := body[wire.OperatorPatch](c)
	if err != nil {
		return nil, err
	}
	x, err := a.Guard.ChangePerson(c.ctx(), c.param("name"), auth.Change{Display: in.Display, Role: (*auth.Role)(in.Role), Password: in.Password})
	if err != nil {
		return nil, err
	}
	return c.person(x), nil
}

func (a *API) removeOperator(c *call) (any, error) {
	return nil, a.Guard.RemovePerson(c.ctx(), c.param("name"))
}
