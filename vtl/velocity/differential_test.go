//go:build velocity

package velocity

import (
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

var (
	caseCount = flag.Int("cases", 100_000, "how many templates to compare")
	seed      = flag.Uint64("seed", 0, "what the templates are made of; 0 for another each time")
	most      = flag.Int("most", 20, "after how many differences to stop")
	record    = flag.String("record", "", "a file of templates, each a JSON object with t and perhaps b in a line, to print with what Velocity makes of them")
)

var digits = regexp.MustCompile(`\d+:\d+`)

// batch is how many templates are sent to Velocity at a time.
const batch = 500

// TestDifferential compares what package vtl and Velocity make of made up templates.
func TestDifferential(t *testing.T) {
	if *seed == 0 {
		*seed = uint64(time.Now().UnixNano())
	}
	t.Logf("seed %d", *seed)
	e := newEngine(t)
	g := newGenerator(rand.New(rand.NewPCG(*seed, 0)), readSeeds(t))
	counts := map[string]int{}
	found, classes := map[string]bool{}, map[string]int{}
	for done := 0; done < *caseCount && len(found) < *most; done += batch {
		cases := make([]example, min(batch, *caseCount-done))
		for i := range cases {
			cases[i] = g.example()
		}
		for i, a := range e.ask(cases) {
			got, message := render(cases[i].Template, cases[i].Payload)
			if name := excused(a, got, message); name != "" {
				counts["not compared: "+name]++
				continue
			}
			counts[a.kind]++
			if alike(got, a) {
				continue
			}
			class := fmt.Sprint(a.kind, got.Err, digits.ReplaceAllString(message, ""), strings.SplitN(a.text, " at ", 2)[0])
			if classes[class]++; classes[class] > 2 && (a.kind != "ok" || got.Err != "") {
				continue
			}
			small := minimize(e, cases[i])
			a := e.ask([]example{small})[0]
			got, message = render(small.Template, small.Payload)
			key := fmt.Sprint(small.Template, a.kind, got.Err)
			if found[key] {
				continue
			}
			found[key] = true
			t.Errorf("%s\n     got %q, error %q (%s)\nVelocity %q, %s", printed(small), got.Output, got.Err, message, a.text, a.kind)
		}
	}
	t.Logf("cases: %v", counts)
	for name := range counts {
		if name, ok := strings.CutPrefix(name, "not compared: "); ok &&
			!slices.ContainsFunc(differences, func(d difference) bool { return d.name == name }) {
			t.Errorf("cases are not compared for a reason that is in no table: %q", name)
		}
	}
}

// TestCorpusOfVelocity asks Velocity again for what is recorded of it.
func TestCorpusOfVelocity(t *testing.T) {
	corpus := readCorpus(t)
	for i, a := range newEngine(t).ask(corpus) {
		if !alike(corpus[i], a) {
			t.Errorf("%q is recorded as %q, error %q, but Velocity says %q, %s", corpus[i].Template, corpus[i].Output, corpus[i].Err, a.text, a.kind)
		}
	}
}

// TestRecord prints lines for the corpus: go test -tags velocity -run TestRecord -record FILE.
func TestRecord(t *testing.T) {
	if *record == "" {
		return // nothing to record
	}
	text, err := os.ReadFile(*record)
	if err != nil {
		t.Fatal(err)
	}
	cases := parseExamples(t, *record, text)
	for i, a := range newEngine(t).ask(cases) {
		c := example{Template: cases[i].Template, Payload: cases[i].Payload}
		if c.Err = a.kind; a.kind == "ok" {
			c.Err, c.Output = "", a.text
		}
		if name := excused(a, c, ""); name != "" {
			t.Errorf("%s is not compared: %s", printed(c), name)
			continue
		}
		fmt.Println(printed(c))
	}
}

// printed returns an example as a line of the corpus.
func printed(e example) string {
	var b strings.Builder
	w := json.NewEncoder(&b)
	w.SetEscapeHTML(false)
	if err := w.Encode(e); err != nil {
		return err.Error()
	}
	return strings.TrimSuffix(b.String(), "\n")
}
