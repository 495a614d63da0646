package ledger

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.etcd.io/bbolt"

	"penstock/internal/store"
	"penstock/internal/store/storetest"
)

// What is read here is what bbolt reads, whatever was done to the file before:
// buckets inline and not, trees of several levels, values across pages, pages freed
// and used again.
func TestReadPages(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "bolt.db")
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{PageSize: pageSize, NoSync: true, FreelistType: bbolt.FreelistMapType})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	random := rand.New(rand.NewPCG(1, 2))
	names := []string{"empty", "inline", "small", "large", "mixed"}
	for round := range 60 {
		err := db.Update(func(tx *bbolt.Tx) error {
			for i, name := range names {
				b, err := tx.CreateBucketIfNotExists([]byte(name))
				if err != nil {
					return err
				}
				for range []int{0, 1, 300, 3, 30}[i] {
					key := []byte(fmt.Sprintf("%s %d", strings.Repeat("k", random.IntN(60)), random.IntN(3000)))
					value := make([]byte, random.IntN([]int{1, 20, 100, 40_000, 9000}[i]))
					if i == 1 {
						key = key[len(key)-1:]
					}
					if err := b.Put(key, value); err != nil {
						return err
					}
				}
				for k, _ := b.Cursor().First(); k != nil && random.IntN(4) > 0; k, _ = b.Cursor().First() {
					if err := b.Delete(k); err != nil {
						return err
					}
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		compareWithBolt(t, db, path, round)
	}
}

func compareWithBolt(t *testing.T, db *bbolt.DB, path string, round int) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	buckets, err := readPages(f, info.Size())
	if err != nil {
		t.Fatalf("round %d: %v", round, err)
	}
	err = db.View(func(tx *bbolt.Tx) error {
		return tx.ForEach(func(name []byte, b *bbolt.Bucket) error {
			records, ok := buckets[string(name)]
			if delete(buckets, string(name)); !ok {
				t.Fatalf("round %d: there is no bucket %q", round, name)
			}
			i := 0
			err := b.ForEach(func(k, v []byte) error {
				if i == len(records) {
					t.Fatalf("round %d: bucket %q has only %d records", round, name, i)
				}
				value, err := records[i].read(f, nil)
				if err != nil || !bytes.Equal(records[i].key, k) || !bytes.Equal(value, v) {
					t.Fatalf("round %d: record %d of bucket %q is %q of %d bytes, %v, want %q of %d", round, i, name, records[i].key, len(value), err, k, len(v))
				}
				i++
				return nil
			})
			if i != len(records) {
				t.Fatalf("round %d: bucket %q has %d records, want %d", round, name, len(records), i)
			}
			return err
		})
	})
	if err != nil || len(buckets) > 0 {
		t.Fatalf("round %d: %v, and there are %d more buckets", round, err, len(buckets))
	}
}

// A list of 65,535 free pages or more has its length elsewhere.
func TestListOfFreePages(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 2, 0xfffe, 0xffff, 0x10000, 70_000} {
		first := 2 + uint64(n*8+pageHeader+8)/pageSize + 1 // after the pages of the list
		var list []uint64
		for i := range n {
			list = append(list, first+uint64(i))
		}
		mark := first + uint64(n)
		for _, tt := range []struct {
			name string
			list []uint64
			want bool
		}{
			{"whole", list, true},
			{"the last is missing", list[:max(n-1, 0)], n == 0},
			{"the first is missing", list[min(n, 1):], n == 0},
			{"one more", append(list[:n:n], mark), false},
			{"one that is used", append([]uint64{2}, list...), false},
			{"the last twice", append(list[:n:n], mark-1), false},
		} {
			p := &pages{
				file: bytes.NewReader(append(make([]byte, 2*pageSize), listPage(first-2, tt.list)...)),
				meta: meta{freelist: 2, mark: mark},
				used: make([]bool, mark),
			}
			if err := p.free(); (err == nil) != tt.want {
				t.Errorf("%d pages, %s: got error %v", n, tt.name, err)
			}
		}
	}
}

// listPage returns a page 2, of the given size in pages, with a list of free pages.
func listPage(size uint64, list []uint64) []byte {
	b := make([]byte, pageHeader, size*pageSize)
	order.PutUint64(b, 2)
	order.PutUint16(b[8:], freelistPage)
	order.PutUint16(b[10:], uint16(min(len(list), 0xffff)))
	order.PutUint32(b[12:], uint32(size-1))
	if len(list) >= 0xffff {
		b = order.AppendUint64(b, uint64(len(list)))
	}
	for _, id := range list {
		b = order.AppendUint64(b, id)
	}
	return b[:size*pageSize]
}

// FuzzRead changes the bytes of a ledger: whatever is accepted shows what was there.
// Each change is a place, as a page and an offset, and a byte.
func FuzzRead(f *testing.F) {
	path := filepath.Join(f.TempDir(), "ledger.db")
	l, err := Open(path, Options{Keep: store.Keep{Commits: 8}})
	if err != nil {
		f.Fatal(err)
	}
	for i := range 40 {
		storetest.MustAppend(f, l, storetest.Put(fmt.Sprint("k", i*7%30), strings.Repeat("x", i*i*5)))
	}
	storetest.MustAppend(f, l, store.Batch{Changes: []store.Change{{Key: "k7", Delete: true}}})
	want, last := storetest.Show(l), l.Last()
	if err := l.Close(); err != nil {
		f.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte{})
	for page := range 16 {
		f.Add([]byte{0, byte(page), 0, 10, 1, 0, byte(page), 0, 20, 255})
	}
	f.Fuzz(func(t *testing.T, changes []byte) {
		b := bytes.Clone(whole)
		for ; len(changes) >= 5; changes = changes[5:] {
			at := int(binary.BigEndian.Uint16(changes))*pageSize + int(binary.BigEndian.Uint16(changes[2:]))%pageSize
			b[at%len(b)] = changes[4]
		}
		state, _, err := read(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			return
		}
		var got strings.Builder
		for _, d := range state.List("") {
			fmt.Fprintf(&got, "%s %d %s\n", d.Key, d.Rev, d.Data)
		}
		if got.String() != want || state.Last() != last {
			t.Errorf("got revision %d and %.1000q, want %d and %.1000q", state.Last(), got.String(), last, want)
		}
	})
}
