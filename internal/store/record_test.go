package store

import (
	"testing"
	"time"
)

// Times of all ages survive a record to the nanosecond.
func TestTimeOfRecord(t *testing.T) {
	t.Parallel()
	for _, want := range []time.Time{
		time.Now().Round(0).UTC(),
		time.Date(1969, 12, 31, 23, 59, 59, 999_999_999, time.UTC),
		time.Date(9999, 12, 31, 23, 59, 59, 1, time.UTC),
		{},
	} {
		b := Batch{Changes: []Change{{Key: "a"}}}
		l, err := newDraft(new(State)).commit(&b, sumData(b.Changes), want)
		if err != nil {
			t.Fatal(err)
		}
		got, err := ParseLink(l.AppendRecord(nil))
		if err != nil || got.Time != want {
			t.Errorf("%v became %v, %v", want, got.Time, err)
		}
	}
}
