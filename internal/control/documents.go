package control

// The operations of kinds that have a document for each of their items, where they
// differ from those of kinds that stand in one.

func (k collection[T, D]) createDocument(c *call) (any, error) {
	if err := c.decode(); err != nil {
		return nil, err
	}
	var answer any
	rev, err := k.add(c, func(x *change[T, D]) error {
		c.op.Apply(x.item, c.input)
		if err := k.settle(x); err != nil {
			return err
		}
		if k.after != nil {
			if err := k.after(x); err != nil {
				return err
			}
		}
		answer = k.answered(c, x.item)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return answer, c.served(rev)
}

// add stores a new document, which fill makes what it shall be, and returns the
// revision of the commit.
func (k collection[T, D]) add(c *call, fill func(x *change[T, D]) error) (uint64, error) {
	return c.serialised(k.root.prefix, func() (uint64, error) { return k.attempt(c, fill) })
}

func (k collection[T, D]) attempt(c *call, fill func(x *change[T, D]) error) (uint64, error) {
	e := newEdit(c)
	defer e.release()
	d, err := k.root.parse([]byte("{}"))
	if err != nil {
		return 0, err
	}
	x := &change[T, D]{edit: e, doc: d, item: k.own(d)}
	if k.length > 0 {
		*k.name(x.item) = new(unusedID(k.length, func(id string) bool {
			_, used := c.Store.Get(k.root.prefix + id)
			return used
		}))
	}
	if err := fill(x); err != nil {
		return 0, err
	}
	if err := k.admit(c, len(c.Store.List(k.root.prefix))); err != nil {
		return 0, err
	}
	data, err := k.root.encode(d)
	if err != nil {
		return 0, err
	}
	if err := e.create(k.root.prefix+**k.name(x.item), data); err != nil {
		return 0, err
	}
	return e.commit()
}

func (k collection[T, D]) listDocuments(c *call) (any, error) {
	stored := c.Store.List(k.root.prefix)
	return page(c, storedKeys(stored), func(i int) ([]byte, error) {
		d, err := decodedAs(c.Server, stored[i], k.root.parse)
		if err != nil {
			return nil, err
		}
		return encode(k.listed(c, k.own(d)))
	})
}
