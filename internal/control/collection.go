package control

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"penstock/internal/model"
)

// items are the things of one kind in a document, by ID.
type items[T any] = map[string]*T

// A collection declares a kind of thing T that is stored in documents D: either
// many of them stand in one document, or each has a document of its own. The
// engine answers the five operations of the kind: CreateX, GetX, GetXs or ListXs,
// UpdateX or PutX, and DeleteX.
//
// The hooks are called in the order they stand here; each may be nil. They get
// the input of the call, a document that nobody else has, and the item in it.
type collection[T, D any] struct {
	kind string // X
	root root[D]

	// in returns the items of the kind. It changes nothing in d.
	in func(d *D, c *call) (items[T], error)
	// own returns the item that a document is about, if each has its own: in is
	// then nil.
	own func(d *D) *T

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

	// answer returns an item as it is answered, and summary as it is listed. Nil
	// answers what is stored, and lists what is answered.
	answer, summary func(c *call, item *T) any
}

// A change is a create, update or delete of one item.
type change[T, D any] struct {
	*edit
	doc     *D
	item    *T // in doc, but for a delete
	old     *T // as it was, not to be changed; nil in a create
	deleted bool
}

// operations returns the handlers of a collection.
func (k collection[T, D]) operations() map[string]handler {
	all := map[string]handler{
		"Create" + k.kind: k.create,
		"Get" + k.kind:    k.get,
		k.listing():       k.list,
		k.updating():      k.update,
		"Delete" + k.kind: k.delete,
	}
	if k.own != nil {
		all["Create"+k.kind], all[k.listing()] = k.createDocument, k.listDocuments
	}
	return all
}

func (k collection[T, D]) listing() string {
	if name := "List" + k.kind + "s"; model.FindOperation(name) != nil {
		return name
	}
	return "Get" + k.kind + "s"
}

func (k collection[T, D]) updating() string {
	if name := "Put" + k.kind; model.FindOperation(name) != nil {
		return name
	}
	return "Update" + k.kind
}

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
	item, err := k.find(c, d)
	if err != nil {
		return nil, err
	}
	return k.answered(c, item), nil
}

// find returns the item that the path of a call is about.
func (k collection[T, D]) find(c *call, d *D) (*T, error) {
	if k.own != nil {
		return k.own(d), nil
	}
	all, err := k.in(d, c)
	if err != nil {
		return nil, err
	}
	item := all[k.id(c)]
	if item == nil {
		return nil, NotFound(k.kind, k.id(c))
	}
	return item, nil
}

func (k collection[T, D]) answered(c *call, item *T) any {
	if k.answer != nil {
		return k.answer(c, item)
	}
	return item
}

func (k collection[T, D]) listed(c *call, item *T) any {
	if k.summary != nil {
		return k.summary(c, item)
	}
	return k.answered(c, item)
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
	l := e.list(c.list(), func() []string { return slices.Sorted(maps.Keys(all)) })
	return page(c, l.ids, func(i int) ([]byte, error) {
		return l.encoded(i, func() any { return k.listed(c, all[l.ids[i]]) })
	})
}

func (k collection[T, D]) create(c *call) (any, error) {
	return k.write(c, func(x *change[T, D]) error {
		all, err := k.in(x.doc, c)
		if err != nil {
			return err
		}
		x.item = new(T)
		c.op.Apply(x.item, c.input)
		if k.length > 0 {
			*k.name(x.item) = new(unusedID(k.length, func(id string) bool { return all[id] != nil }))
		}
		if err := k.settle(x); err != nil {
			return err
		}
		if err := k.admit(c, len(all)); err != nil {
			return err
		}
		all[**k.name(x.item)] = x.item
		return nil
	})
}

// admit refuses one item more than there may be.
func (k collection[T, D]) admit(c *call, n int) error {
	if k.quota == nil || n < k.quota(c.Limits) {
		return nil
	}
	whose := documentNames[k.root.prefix]
	if k.own != nil {
		whose = "account"
	}
	return BadRequest(msgQuota, k.kind+"s", whose)
}

func (k collection[T, D]) update(c *call) (any, error) {
	return k.write(c, func(x *change[T, D]) (err error) {
		if x.item, err = k.find(c, x.doc); err != nil {
			return err
		}
		if x.old, err = k.before(c); err != nil {
			return err
		}
		if c.op.Method == http.MethodPut { // replaces everything but the ID
			id := *k.name(x.item)
			*x.item = *new(T)
			*k.name(x.item) = id
		}
		c.op.Apply(x.item, c.input)
		return k.settle(x)
	})
}

func (k collection[T, D]) delete(c *call) (any, error) {
	_, err := k.write(c, func(x *change[T, D]) (err error) {
		if x.item, err = k.find(c, x.doc); err != nil {
			return err
		}
		x.old, x.deleted = x.item, true
		if k.inUse != nil {
			if err := k.inUse(x); err != nil {
				return err
			}
		}
		if k.own != nil {
			x.edit.delete(k.root.prefix + k.id(c))
			return nil
		}
		all, err := k.in(x.doc, c)
		delete(all, k.id(c))
		return err
	})
	return nil, err
}

// write is what creates, updates and deletes have in common: the document exists
// and in it the parent, the input can be read, then the edit.
func (k collection[T, D]) write(c *call, apply func(x *change[T, D]) error) (any, error) {
	d, err := k.root.read(c)
	if err != nil {
		return nil, err
	}
	if k.in != nil {
		if _, err := k.in(d, c); err != nil {
			return nil, err
		}
	}
	if err := c.decode(); err != nil {
		return nil, err
	}
	var written any
	err = k.root.edit(c, func(e *edit, d *D) error {
		x := &change[T, D]{edit: e, doc: d}
		if err := apply(x); err != nil {
			return err
		}
		if k.after != nil {
			if err := k.after(x); err != nil {
				return err
			}
		}
		if !x.deleted {
			written = k.answered(c, x.item)
		}
		return nil
	})
	return written, err
}

func (k collection[T, D]) shape() *model.Shape { return model.FindOperation("Get" + k.kind).Output }

// settle brings a new or updated item into its final form and checks it.
func (k collection[T, D]) settle(x *change[T, D]) error {
	if shape := k.shape(); shape.Describes(x.item) {
		shape.Settle(x.item)
	}
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
	return k.find(c, d)
}
