package control

import (
	"maps"
	"slices"
	"strings"

	"penstock/internal/model"
)

// items are the things of one kind in a document, by ID.
type items[T any] = map[string]*T

// A collection declares a kind of thing T that stands in a document D. The engine
// below answers its five operations: CreateX, GetX, GetXs, UpdateX and DeleteX.
//
// The hooks are called in the order they stand here; each may be nil. They get
// the input of the call, a document that nobody else has, and the item in it.
type collection[T, D any] struct {
	kind string // X
	root root[D]

	// in returns the items of the kind. It changes nothing in d.
	in func(d *D, c *call) (items[T], error)
	// name returns the member that holds the ID.
	name func(item *T) **string
	// length is how long IDs are; 0 if clients name the items.
	length int
	// quota returns how many items there may be; nil if there is no limit.
	quota func(l Limits) int

	// defaults fills in what a create or update has left absent, and drops what
	// has no meaning.
	defaults func(x *change[T, D])
	// check refuses a create or update. It changes nothing.
	check func(x *change[T, D]) error
	// inUse refuses a delete.
	inUse func(x *change[T, D]) error
	// after does what follows from a create, update or delete.
	after func(x *change[T, D]) error
}

// A change is a create, update or delete of one item.
type change[T, D any] struct {
	*edit
	doc  *D
	item *T // in doc, but for a delete
	old  *T // as it was, not to be changed; nil in a create
}

// operations returns the handlers of a collection.
func (k collection[T, D]) operations() map[string]handler {
	return map[string]handler{
		"Create" + k.kind:    k.create,
		"Get" + k.kind:       k.get,
		"Get" + k.kind + "s": k.list,
		"Update" + k.kind:    k.update,
		"Delete" + k.kind:    k.delete,
	}
}

func (k collection[T, D]) shape() *model.Shape { return model.FindOperation("Get" + k.kind).Output }

// id returns the ID in the path of a call: the last label of GetX.
func (k collection[T, D]) id(c *call) string {
	path := model.FindOperation("Get" + k.kind).Path
	return c.labels[strings.TrimSuffix(path[strings.LastIndexByte(path, '{')+1:], "}")]
}

func (k collection[T, D]) get(c *call) (any, error) {
	d, err := k.root.read(c)
	if err != nil {
		return nil, err
	}
	all, err := k.in(d, c)
	if err != nil {
		return nil, err
	}
	return k.find(c, all)
}

func (k collection[T, D]) find(c *call, all items[T]) (*T, error) {
	item := all[k.id(c)]
	if item == nil {
		return nil, NotFound(k.kind, k.id(c))
	}
	return item, nil
}

func (k collection[T, D]) list(c *call) (any, error) {
	e, err := k.root.entry(c)
	if err != nil {
		return nil, err
	}
	all, err := k.in(e.doc.(*D), c)
	if err != nil {
		return nil, err
	}
	l := e.list(c.listed(), func() []string { return slices.Sorted(maps.Keys(all)) })
	return page(c, l.ids, func(i int) ([]byte, error) { return l.encoded(i, all[l.ids[i]]) })
}

func (k collection[T, D]) create(c *call) (any, error) {
	return k.write(c, func(x *change[T, D], all items[T]) error {
		x.item = new(T)
		c.op.Apply(x.item, c.input)
		if err := k.settle(x); err != nil {
			return err
		}
		if k.quota != nil && len(all) >= k.quota(c.Limits) {
			return BadRequest(msgQuota, k.kind+"s")
		}
		id := k.name(x.item)
		if k.length > 0 {
			*id = new(unusedID(k.length, func(id string) bool { return all[id] != nil }))
		}
		all[**id] = x.item
		return nil
	})
}

func (k collection[T, D]) update(c *call) (any, error) {
	return k.write(c, func(x *change[T, D], all items[T]) (err error) {
		if x.item, err = k.find(c, all); err != nil {
			return err
		}
		if x.old, err = k.before(c); err != nil {
			return err
		}
		c.op.Apply(x.item, c.input)
		return k.settle(x)
	})
}

func (k collection[T, D]) delete(c *call) (any, error) {
	_, err := k.write(c, func(x *change[T, D], all items[T]) (err error) {
		if x.item, err = k.find(c, all); err != nil {
			return err
		}
		x.old = x.item
		if k.inUse != nil {
			if err := k.inUse(x); err != nil {
				return err
			}
		}
		delete(all, k.id(c))
		return nil
	})
	return nil, err
}

// write is what creates, updates and deletes have in common: the document exists,
// the input can be read, then the edit.
func (k collection[T, D]) write(c *call, apply func(x *change[T, D], all items[T]) error) (any, error) {
	if _, err := k.root.read(c); err != nil {
		return nil, err
	}
	if err := c.decode(); err != nil {
		return nil, err
	}
	var written *T
	err := k.root.edit(c, func(e *edit, d *D) error {
		all, err := k.in(d, c)
		if err != nil {
			return err
		}
		x := &change[T, D]{edit: e, doc: d}
		if err := apply(x, all); err != nil {
			return err
		}
		written = x.item
		if k.after == nil {
			return nil
		}
		return k.after(x)
	})
	return written, err
}

// settle brings a new or updated item into its final form and checks it.
func (k collection[T, D]) settle(x *change[T, D]) error {
	k.shape().Settle(x.item)
	if k.defaults != nil {
		k.defaults(x)
	}
	if k.check != nil {
		return k.check(x)
	}
	return nil
}

// before returns the item of an update as it is stored.
func (k collection[T, D]) before(c *call) (*T, error) {
	d, err := k.root.read(c)
	if err != nil {
		return nil, err
	}
	all, err := k.in(d, c)
	if err != nil {
		return nil, err
	}
	return k.find(c, all)
}
