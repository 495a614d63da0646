package ledger

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"os"

	"penstock/internal/store"
)

// The layout of a bbolt file (format version 2), as far as it is read here. All
// numbers have the byte order of the machine.
//
//	page     id uint64 | flags uint16 | count uint16 | overflow uint32 | …
//	meta     page | magic uint32 | version uint32 | page size uint32 | flags uint32 |
//	         root page uint64 | sequence uint64 | freelist page uint64 |
//	         high water mark uint64 | transaction uint64 | FNV-1a of these uint64
//	branch   page | count × (key offset uint32 | key length uint32 | child page uint64) | keys
//	leaf     page | count × (flags uint32 | key offset uint32 | key length uint32 |
//	         value length uint32) | keys and values
//	freelist page | page ids uint64, the first being their number if count is 0xffff
//
// A page goes on in the overflow pages after it. Offsets count from the element
// that has them. A bucket is a leaf element with flag 1 whose value is its root page
// uint64 and a sequence uint64; a root page of 0 means that the page, without
// overflow, follows in the value.
const (
	pageSize    = 4096
	pageHeader  = 16
	elementSize = 16
	metaSize    = 64

	metaMagic   = 0xED0CDAED
	metaVersion = 2

	branchPage   = 0x01
	leafPage     = 0x02
	metaPage     = 0x04
	freelistPage = 0x10

	bucketElement = 1

	// maxDepth is far more levels than a tree of maximal size has.
	maxDepth = 32
)

var order = binary.NativeEndian

// A record is a key of a bucket and where its value is.
type record struct {
	key   []byte
	value []byte // the value if it was read along with its page, or nil
	at    int64  // otherwise its place in the file
	size  int    // and its length
}

// read returns the value, in buf if that is large enough and the value was not
// read yet.
func (r record) read(file io.ReaderAt, buf []byte) ([]byte, error) {
	if r.value != nil {
		return r.value, nil
	}
	if cap(buf) < r.size {
		buf = make([]byte, r.size)
	}
	return buf[:r.size], readAt(file, buf[:r.size], r.at)
}

// pages reads a bbolt file without bbolt, which believes what it reads: a wrong
// offset makes it read beyond its mapping, a wrong page number makes it recurse for
// ever. After readPages has accepted a file, every page that bbolt will follow has
// been seen, once, with everything in its place.
type pages struct {
	file io.ReaderAt
	meta
	used []bool // by page
}

// A meta is what a meta page says.
type meta struct {
	root, freelist uint64 // pages
	mark           uint64 // the high water mark: all pages, used or free, are below
	transaction    uint64
}

// readPages returns the records of all buckets of the file, each in key order, and
// verifies the structure of everything reachable:
//
//   - both meta pages are whole and of two transactions in a row. bbolt would take
//     the older one if the newer one is broken, and so lose the last commit without
//     a word. Neither is ever broken by a crash: what matters of a meta page lies in
//     one disk sector and is written at once.
//   - the file is as long as the meta page says,
//   - every page says that it is the page it is, keys ascend and each page starts with
//     the key that the branch above has for it, nothing points outside of its page,
//   - no page is used twice, and exactly the pages that are not used are in the list
//     of free ones, so that no write can overwrite anything.
//
// Errors other than DamageErrors are those of reading.
func readPages(file io.ReaderAt, size int64) (map[string][]record, error) {
	m, err := readMeta(file, size)
	if err != nil {
		return nil, err
	}
	p := &pages{file: file, meta: m, used: make([]bool, m.mark)}
	buckets := make(map[string][]record)
	err = p.tree(m.root, nil, nil, 0, func(flags uint32, r record) error {
		value, err := r.read(file, nil)
		if err != nil {
			return err
		}
		if flags != bucketElement || len(value) < 16 {
			return store.Damage("entry %.40q of the root is not a bucket", r.key)
		}
		var records []record
		collect := func(flags uint32, r record) error {
			if flags != 0 {
				return store.Damage("record %.40q has unknown flags", r.key)
			}
			records = append(records, r)
			return nil
		}
		if child := order.Uint64(value); child == 0 {
			err = inlinePage(value[16:], collect)
		} else {
			err = p.tree(child, nil, nil, 0, collect)
		}
		buckets[string(r.key)] = records
		return err
	})
	if err != nil {
		return nil, err
	}
	return buckets, p.free()
}

// readMeta verifies both meta pages and returns what the newer one says.
func readMeta(file io.ReaderAt, size int64) (meta, error) {
	if size < 4*pageSize {
		return meta{}, store.Damage("it has only %d bytes", size)
	}
	b := make([]byte, 2*pageSize)
	if err := readAt(file, b, 0); err != nil {
		return meta{}, err
	}
	magic := func(i int) bool { return order.Uint32(b[i*pageSize+pageHeader:]) == metaMagic }
	if !magic(0) && !magic(1) {
		return meta{}, store.Damage("it is not a ledger, or its beginning was overwritten")
	}
	var metas [2]meta
	for i := range metas {
		m := b[i*pageSize+pageHeader:][:metaSize]
		sum := fnv.New64a()
		sum.Write(m[:metaSize-8])
		if !magic(i) || order.Uint64(m[metaSize-8:]) != sum.Sum64() {
			return meta{}, store.Damage("meta page %d is broken, so the last commits may be missing", i)
		}
		if v, n := order.Uint32(m[4:]), order.Uint32(m[8:]); v != metaVersion || n != pageSize {
			return meta{}, store.Damage("it is a bbolt file of version %d with pages of %d bytes, not one of version %d with %d", v, n, metaVersion, pageSize)
		}
		metas[i] = meta{order.Uint64(m[16:]), order.Uint64(m[32:]), order.Uint64(m[40:]), order.Uint64(m[48:])}
		if metas[i].transaction%2 != uint64(i) {
			return meta{}, store.Damage("meta page %d is in the place of the other", i)
		}
	}
	m, older := metas[0], metas[1]
	if older.transaction > m.transaction {
		m, older = older, m
	}
	if m.transaction != older.transaction+1 {
		return meta{}, store.Damage("the meta pages are of transactions %d and %d: one of them is out of date", older.transaction, m.transaction)
	}
	if m.mark > uint64(size/pageSize) {
		return meta{}, store.Damage("it should have at least %d pages of %d bytes and has %d bytes in all: its end is missing", m.mark, pageSize, size)
	}
	return m, nil
}

// A page is a page with its overflow pages, of which the beginning was read.
type page struct {
	file  io.ReaderAt
	id    uint64
	size  uint64
	head  []byte
	flags uint16
	count int
}

// read returns a page and marks it and its overflow pages as used.
func (p *pages) read(id uint64) (*page, error) {
	if id < 2 || id >= p.mark {
		return nil, store.Damage("page %d is pointed at and cannot be", id)
	}
	head := make([]byte, pageSize)
	if err := readAt(p.file, head, int64(id)*pageSize); err != nil {
		return nil, err
	}
	if order.Uint64(head) != id {
		return nil, store.Damage("page %d says that it is page %d", id, order.Uint64(head))
	}
	n := 1 + uint64(order.Uint32(head[12:]))
	if n > p.mark-id {
		return nil, store.Damage("page %d is longer than the file", id)
	}
	for i := id; i < id+n; i++ {
		if p.used[i] {
			return nil, store.Damage("page %d is used twice", i)
		}
		p.used[i] = true
	}
	return newPage(p.file, id, n*pageSize, head), nil
}

func newPage(file io.ReaderAt, id, size uint64, head []byte) *page {
	return &page{file, id, size, head, order.Uint16(head[8:]), int(order.Uint16(head[10:]))}
}

// bytes returns the n bytes at an offset into the page.
func (p *page) bytes(from, n uint64) ([]byte, error) {
	if from+n > p.size {
		return nil, store.Damage("page %d points out of itself", p.id)
	}
	if from+n <= uint64(len(p.head)) {
		return p.head[from : from+n : from+n], nil
	}
	b := make([]byte, n)
	return b, readAt(p.file, b, int64(p.id*pageSize+from))
}

// elements returns the elements, one after the other.
func (p *page) elements() ([]byte, error) {
	return p.bytes(pageHeader, uint64(p.count)*elementSize)
}

// readAt fills b with what was in the file when its size was taken.
func readAt(file io.ReaderAt, b []byte, at int64) error {
	_, err := file.ReadAt(b, at)
	if errors.Is(err, io.EOF) {
		return store.Damage("it became shorter while it was read")
	}
	if pathError := (*os.PathError)(nil); errors.As(err, &pathError) {
		return fmt.Errorf("read: %w", pathError.Err) // whoever opens the file names it
	}
	return err
}

// tree calls leaf for each element of the tree under a page, in key order. Unless
// first is nil it must be the first key: bbolt finds what to replace in a branch by
// it. Unless high is nil all keys must be less.
func (p *pages) tree(id uint64, first, high []byte, depth int, leaf func(flags uint32, r record) error) error {
	if depth == maxDepth {
		return store.Damage("its tree has more than %d levels", maxDepth)
	}
	page, err := p.read(id)
	if err != nil {
		return err
	}
	if page.flags == leafPage {
		return page.leaf(first, high, leaf)
	}
	if page.flags != branchPage || page.count == 0 {
		return store.Damage("page %d is no part of a tree", id)
	}
	elements, err := page.elements()
	if err != nil {
		return err
	}
	keys := make([][]byte, page.count)
	for i := range keys {
		e := elements[i*elementSize:]
		if keys[i], err = page.bytes(elementStart(i)+uint64(order.Uint32(e)), uint64(order.Uint32(e[4:]))); err != nil {
			return err
		}
	}
	if err := inOrder(keys, first, high); err != nil {
		return err
	}
	for i, key := range keys {
		end := high
		if i+1 < len(keys) {
			end = keys[i+1]
		}
		if err := p.tree(order.Uint64(elements[i*elementSize+8:]), key, end, depth+1, leaf); err != nil {
			return err
		}
	}
	return nil
}

// inlinePage calls leaf for each element of a page that lies in the value of its
// bucket. It must not say that it is any other page: bbolt would free that one.
func inlinePage(value []byte, leaf func(flags uint32, r record) error) error {
	if len(value) < pageHeader {
		return store.Damage("a bucket has no page")
	}
	page := newPage(nil, 0, uint64(len(value)), value)
	if order.Uint64(value) != 0 || page.flags != leafPage || order.Uint32(value[12:]) != 0 {
		return store.Damage("the page of a bucket is malformed")
	}
	return page.leaf(nil, nil, leaf)
}

// leaf calls f for each element of a leaf page, whose keys are checked like those of
// a tree.
func (p *page) leaf(first, high []byte, f func(flags uint32, r record) error) error {
	elements, err := p.elements()
	if err != nil {
		return err
	}
	keys := make([][]byte, p.count)
	records := make([]record, p.count)
	for i := range records {
		e := elements[i*elementSize:]
		from, keySize, size := elementStart(i)+uint64(order.Uint32(e[4:])), uint64(order.Uint32(e[8:])), uint64(order.Uint32(e[12:]))
		if keys[i], err = p.bytes(from, keySize); err != nil {
			return err
		}
		from += keySize
		r := record{key: keys[i], at: int64(p.id*pageSize + from), size: int(size)}
		if from+size > p.size {
			return store.Damage("page %d points out of itself", p.id)
		}
		if from+size <= uint64(len(p.head)) {
			r.value = p.head[from : from+size : from+size]
		}
		records[i] = r
	}
	if err := inOrder(keys, first, high); err != nil {
		return err
	}
	for i, r := range records {
		if err := f(order.Uint32(elements[i*elementSize:]), r); err != nil {
			return err
		}
	}
	return nil
}

// inOrder verifies that keys ascend, start with first unless it is nil, and are less
// than high unless it is nil.
func inOrder(keys [][]byte, first, high []byte) error {
	if first != nil && (len(keys) == 0 || !bytes.Equal(keys[0], first)) {
		return store.Damage("a page does not start with key %.40q", first)
	}
	for i, key := range keys {
		if len(key) == 0 || i > 0 && bytes.Compare(keys[i-1], key) >= 0 || high != nil && bytes.Compare(key, high) >= 0 {
			return store.Damage("key %.40q is out of place", key)
		}
	}
	return nil
}

// elementStart returns the offset of an element, from which its own offsets count.
func elementStart(i int) uint64 { return uint64(pageHeader + i*elementSize) }

// free verifies that the list of free pages holds all pages that are not used, in
// order.
func (p *pages) free() error {
	page, err := p.read(p.freelist)
	if err != nil {
		return err
	}
	if page.flags != freelistPage {
		return store.Damage("the list of free pages is somewhere else")
	}
	count, start := uint64(page.count), uint64(pageHeader)
	if count == 0xffff {
		n, err := page.bytes(start, 8)
		if err != nil {
			return err
		}
		count, start = order.Uint64(n), start+8
	}
	list, err := page.bytes(start, min(count, p.mark)*8)
	if err != nil {
		return err
	}
	for i := uint64(2); i < p.mark; i++ {
		if p.used[i] {
			continue
		}
		if len(list) == 0 || order.Uint64(list) != i {
			return store.Damage("the list of free pages does not have page %d", i)
		}
		list = list[8:]
	}
	if len(list) > 0 {
		return store.Damage("the list of free pages has a page that is not free")
	}
	return nil
}
