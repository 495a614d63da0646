package accesslog

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// values is a writer that cannot be compared.
type values []byte

func (values) Write(b []byte) (int, error) { return len(b), nil }

func TestDestinations(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.Symlink(dir, filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	var buffer bytes.Buffer
	d, err := Open([]Destination{
		{ARN: "arn:a", File: dir + "/a"},
		{ARN: "arn:a2:*", File: dir + "/link/../link/./a"},
		{ARN: "arn:b:*", File: dir + "/b"},
		{ARN: "arn:out", Stream: "stdout"},
		{ARN: "arn:out2", Writer: os.Stdout},
		{ARN: "arn:err", Stream: "stderr"},
		{ARN: "arn:w", Writer: &buffer},
		{ARN: "arn:v", Writer: values{}},
		{ARN: "arn:v2", Writer: values{}},
		{ARN: "*", Writer: &buffer},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(d.each) != 7 {
		t.Errorf("%d sinks, want 7", len(d.each))
	}
	for _, tt := range []struct {
		a, b string
		same bool
	}{
		{"arn:a", "arn:a:*", true},
		{"arn:a", "arn:a2", true},
		{"arn:a", "arn:b", false},
		{"arn:out", "arn:out2", true},
		{"arn:out", "arn:err", false},
		{"arn:w", "arn:else", true},
		{"arn:w", "arn:a:x", true},
		{"arn:v", "arn:v2", false},
	} {
		if a, b := d.Sink(tt.a), d.Sink(tt.b); a == nil || b == nil || (a == b) != tt.same {
			t.Errorf("%s %s: got %p %p, want same %v", tt.a, tt.b, a, b, tt.same)
		}
	}
	for _, arn := range []string{"arn:a", "arn:a2", "arn:b", "arn:w", "arn:x"} {
		d.Sink(arn).Write([]byte(arn))
	}
	d.Reopen()
	mustClose(t, d)
	for got, want := range map[string]string{
		contents(t, dir+"/a"): "arn:a\narn:a2\n",
		contents(t, dir+"/b"): "arn:b\n",
		buffer.String():       "arn:w\narn:x\n",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	d.Sink("arn:x").Write(nil)
	if n := d.Dropped(); n != 1 {
		t.Errorf("%d lines dropped, want 1", n)
	}
}

func TestNoDestinations(t *testing.T) {
	t.Parallel()
	empty, err := Open(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range []*Destinations{empty, nil} {
		if s := d.Sink("arn:a"); s != nil {
			t.Errorf("got %v", s)
		}
		d.Reopen()
		mustClose(t, d)
		if n := d.Dropped(); n != 0 {
			t.Errorf("%d lines dropped", n)
		}
	}
}

func TestOpenErrors(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, tt := range []struct {
		name string
		list []Destination
		want string
	}{
		{"no ARN", []Destination{{Stream: "stdout"}}, `"": no ARN`},
		{"no ARN but a suffix", []Destination{{ARN: ":*", Stream: "stdout"}}, `":*": no ARN`},
		{"twice", []Destination{{ARN: "a", Stream: "stdout"}, {ARN: "a:*", Stream: "stderr"}}, `"a:*": stands twice in the list`},
		{"nowhere", []Destination{{ARN: "a"}}, `"a": want one of a file, a stream and a writer`},
		{"two places", []Destination{{ARN: "a", File: dir + "/x", Stream: "stdout"}}, `"a": want one of a file, a stream and a writer`},
		{"unknown stream", []Destination{{ARN: "a", Stream: "stdin"}}, `"a": unknown stream "stdin", want stdout or stderr`},
		{"rotating stream", []Destination{{ARN: "a", Stream: "stdout", MaxSize: 1}}, `"a": only files have a greatest size and number`},
		{"negative size", []Destination{{ARN: "a", File: dir + "/x", MaxSize: -1}}, `"a": negative limit`},
		{"negative buffer", []Destination{{ARN: "a", Stream: "stdout", Buffer: -1}}, `"a": negative limit`},
		{"no directory", []Destination{{ARN: "a", File: dir + "/no/x"}}, `"a": open access log DIR/no/x: lstat DIR/no: no such file or directory`},
		{"directory", []Destination{{ARN: "b", File: dir + "/x"}, {ARN: "a", File: dir}}, `"a": open access log: open DIR: is a directory`},
		{"other limits", []Destination{{ARN: "b", File: dir + "/x"}, {ARN: "a", File: dir + "/x", MaxFiles: 3}}, `"a": goes to the same place as "b" with other limits`},
		{"rotates onto another", []Destination{{ARN: "b", File: dir + "/x"}, {ARN: "a", File: dir + "/x.10"}}, `"a": the file of "b" gets the same name`},
		{"is rotated onto", []Destination{{ARN: "b", File: dir + "/x.1"}, {ARN: "a", File: dir + "/x"}}, `"a": the file of "b" gets the same name`},
	} {
		_, err := Open(tt.list, nil)
		want := "access log destination " + tt.want
		if got := strings.ReplaceAll(fmt.Sprint(err), dir, "DIR"); got != want {
			t.Errorf("%s: got %q, want %q", tt.name, got, want)
		}
	}
	d, err := Open([]Destination{{ARN: "b", File: dir + "/x"}, {ARN: "a", File: dir + "/x.11"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	mustClose(t, d)
}

// All destinations have 5 s together.
func TestDestinationsCloseIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r1, w1 := io.Pipe()
		r2, w2 := io.Pipe()
		var buffer bytes.Buffer
		d, err := Open([]Destination{{ARN: "a", Writer: w1}, {ARN: "b", Writer: w2}, {ARN: "c", Writer: &buffer}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, arn := range []string{"a", "b", "c"} {
			d.Sink(arn).Write([]byte("x"))
		}
		begin := time.Now()
		if err := d.Close(); !errors.Is(err, errUnfinished) || strings.Count(err.Error(), "\n") != 1 {
			t.Errorf("got %v, want two unfinished", err)
		}
		if took := time.Since(begin); took != closeTimeout || buffer.String() != "x\n" {
			t.Errorf("Close took %v, the working one got %q", took, buffer.String())
		}
		r1.Close()
		r2.Close()
	})
}
