package lambda

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestLog(t *testing.T) {
	t.Parallel()
	log := &lines{}
	f := newTestHost(t, Config{Log: log}).NewFunction(testSpec(t))
	invoke := func(event string) (string, Result) {
		c := call(event)
		c.Tail = true
		r, err := f.Invoke(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		return c.RequestID, r
	}
	for i, tt := range []struct {
		event string
		want  []string
	}{
		{`{"do":"print","text":"one\ntwo\u0007\r\n\nhalf"}`, []string{"one", "two\a\r", "", "half!"}},
		{`{"do":"exit","code":1}`, []string{"last words", "RequestId: {id} Error: Runtime exited with error: exit status 1"}},
		{`{"do":"print"}`, []string{"!"}},
	} {
		id, r := invoke(tt.event)
		want := append([]string{"START RequestId: " + id + " Version: $LATEST"}, tt.want...)
		want = append(want, "END RequestId: "+id)
		for i := range want {
			want[i] = strings.ReplaceAll(want[i], "{id}", id)
		}
		got := log.texts(id)
		report := regexp.MustCompile(`^REPORT RequestId: ` + id + `\tDuration: \d+\.\d\d ms\tBilled Duration: [1-9]\d* ms\tMemory Size: 512 MB\tMax Memory Used: [1-9]\d* MB(\tInit Duration: \d+\.\d\d ms)?$`)
		m := report.FindStringSubmatch(got[len(got)-1])
		if m == nil || (m[1] != "") != (i != 1) {
			t.Errorf("%s: got report %q", tt.event, got[len(got)-1])
		}
		if !slices.Equal(got[:len(got)-1], want) {
			t.Errorf("%s: got %q, want %q", tt.event, got, want)
		}
		if tail := strings.Join(got, "\n") + "\n"; string(r.Log) != tail {
			t.Errorf("%s: got tail %q, want %q", tt.event, r.Log, tail)
		}
	}
	log.mu.Lock()
	line := log.all[0]
	log.mu.Unlock()
	if line.Function != "pets" || line.Version != "$LATEST" || line.Time.IsZero() || !regexp.MustCompile(`^\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}$`).MatchString(line.Stream) {
		t.Errorf("got %+v", line)
	}

	// Everything is read and attributed, however much it is; the caller gets the end.
	id, r := invoke(`{"do":"flood","size":8388608}`)
	if n := len(log.texts(id)); n != 8192+3 {
		t.Errorf("%d lines of a flood", n)
	}
	if len(r.Log) != maxTail || !bytes.HasSuffix(r.Log, []byte(" MB\n")) {
		t.Errorf("tail of %d bytes: %q", len(r.Log), r.Log)
	}
}

// Lines belong to the invocation during which they were written, though nobody has read
// them yet.
func TestAttribution(t *testing.T) {
	t.Parallel()
	log := &lines{}
	o := newOutput(log, &Spec{Version: "1"}, "")
	write, err := o.open()
	if err != nil {
		t.Fatal(err)
	}
	defer write.Close()
	defer o.close()
	print := func(text string) {
		if _, err := write.WriteString(text); err != nil {
			t.Fatal(err)
		}
	}
	print("before\n")
	o.begin("a", false, false)
	print("within\n")
	o.end(&report{id: "a"})
	o.begin("b", false, true)
	print("after\nhalf")
	o.end(&report{id: "b"})
	for _, tt := range []struct {
		id   string
		want []string
	}{
		{"", []string{"before"}},
		{"a", []string{"START RequestId: a Version: 1", "within", "END RequestId: a", string((&report{id: "a"}).append(nil))}},
		{"b", []string{"START RequestId: b Version: 1", "after", "half", "END RequestId: b", string((&report{id: "b"}).append(nil))}},
	} {
		if got := log.texts(tt.id); !slices.Equal(got, tt.want) {
			t.Errorf("%q: got %q, want %q", tt.id, got, tt.want)
		}
	}
}

func TestLongLines(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		writes []string
		want   []int
	}{
		{"as long as may be", []string{strings.Repeat("x", maxLine) + "\n"}, []int{maxLine}},
		{"one more", []string{strings.Repeat("x", maxLine+1) + "\n"}, []int{maxLine, 1}},
		{"in parts", []string{strings.Repeat("x", maxLine-1), "yy", "z\na\n"}, []int{maxLine, 2, 1}},
		{"endless", []string{strings.Repeat("x", 3*maxLine)}, []int{maxLine, maxLine}},
		{"empty", []string{"\n", "a", "\n\n"}, []int{0, 1, 0}},
	} {
		log := &lines{}
		o := newOutput(log, &Spec{}, "")
		for _, s := range tt.writes {
			o.write([]byte(s))
		}
		var got []int
		for _, text := range log.texts("") {
			got = append(got, len(text))
			if strings.Contains(text, "\n") {
				t.Errorf("%s: a line within a line", tt.name)
			}
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: got lines of %d bytes, want %d", tt.name, got, tt.want)
		}
	}
}

func TestReport(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		report report
		want   string
	}{
		{report{id: "a", duration: 1230 * time.Microsecond, memory: 128, peak: 40 << 20, init: 90 * time.Millisecond},
			"REPORT RequestId: a\tDuration: 1.23 ms\tBilled Duration: 2 ms\tMemory Size: 128 MB\tMax Memory Used: 40 MB\tInit Duration: 90.00 ms"},
		{report{id: "b", memory: 1024, peak: 1},
			"REPORT RequestId: b\tDuration: 0.00 ms\tBilled Duration: 1 ms\tMemory Size: 1024 MB\tMax Memory Used: 1 MB"},
	} {
		if got := string(tt.report.append(nil)); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}
