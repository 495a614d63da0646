package tracing

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"penstock/internal/gateway"
)

const (
	testTrace  = "5759e988bd862e3fe1be46a994272793"
	testSpan   = "53995c3f42cd8ad8"
	testRoot   = "Root=1-5759e988-bd862e3fe1be46a994272793"
	testParent = "00-" + testTrace + "-" + testSpan + "-01"
)

// mustTracer returns a Tracer whose collector is away.
func mustTracer(t testing.TB, c Config) *Tracer {
	t.Helper()
	if c.Endpoint == "" {
		c.Endpoint = "http://127.0.0.1:1"
	}
	tracer, err := New(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tracer.Shutdown(t.Context()) }) // the context has ended: nothing is sent
	return tracer
}

func fields(lines ...string) []gateway.Field {
	var all []gateway.Field
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ": ")
		all = append(all, gateway.Field{Name: name, Value: value})
	}
	return all
}

// What callers say, and what backends are told. TRACE stands for the caller's trace,
// NEW for a new one and SPAN for a new span.
func TestPropagation(t *testing.T) {
	t.Parallel()
	const (
		newUnsampled = "NEW SPAN 0"
		unsampled    = "TRACE SPAN 0"
		sampled      = "TRACE SPAN 1"
	)
	for _, tt := range []struct {
		name   string
		header []gateway.Field
		want   string // with Sample 0
		always string // with Sample 1, "" if the same
		rest   string // the rest of X-Amzn-Trace-Id
		state  string
	}{
		{"nothing", fields("Host: a"), newUnsampled, "NEW SPAN 1", "", ""},
		{"sampled", fields("traceparent: " + testParent), sampled, "", "", ""},
		{"name in upper case", fields("TRACEPARENT: " + testParent), sampled, "", "", ""},
		{"not sampled", fields("traceparent: 00-" + testTrace + "-" + testSpan + "-00"), unsampled, "", "", ""},
		{"other flags", fields("traceparent: 00-" + testTrace + "-" + testSpan + "-fe"), unsampled, "", "", ""},
		{"all flags", fields("traceparent: 00-" + testTrace + "-" + testSpan + "-ff"), sampled, "", "", ""},
		{"later version", fields("traceparent: cc" + testParent[2:]), sampled, "", "", ""},
		{"later version, longer", fields("traceparent: cc" + testParent[2:] + "-what"), sampled, "", "", ""},
		{"later version, longer without a dash", fields("traceparent: cc" + testParent[2:] + "01"), newUnsampled, "NEW SPAN 1", "", ""},
		{"version ff", fields("traceparent: ff" + testParent[2:]), newUnsampled, "NEW SPAN 1", "", ""},
		{"longer", fields("traceparent: " + testParent + "-00"), newUnsampled, "NEW SPAN 1", "", ""},
		{"shorter", fields("traceparent: " + testParent[:54]), newUnsampled, "NEW SPAN 1", "", ""},
		{"empty", fields("traceparent: "), newUnsampled, "NEW SPAN 1", "", ""},
		{"upper case", fields("traceparent: " + strings.ToUpper(testParent)), newUnsampled, "NEW SPAN 1", "", ""},
		{"bad version", fields("traceparent: 0x" + testParent[2:]), newUnsampled, "NEW SPAN 1", "", ""},
		{"bad trace", fields("traceparent: 00-g" + testTrace[1:] + "-" + testSpan + "-01"), newUnsampled, "NEW SPAN 1", "", ""},
		{"bad span", fields("traceparent: 00-" + testTrace + "-" + testSpan[1:] + "g-01"), newUnsampled, "NEW SPAN 1", "", ""},
		{"bad flags", fields("traceparent: " + testParent[:53] + "0 "), newUnsampled, "NEW SPAN 1", "", ""},
		{"bad separator", fields("traceparent: " + strings.ReplaceAll(testParent, "-", "_")), newUnsampled, "NEW SPAN 1", "", ""},
		{"no trace", fields("traceparent: 00-" + strings.Repeat("0", 32) + "-" + testSpan + "-01"), newUnsampled, "NEW SPAN 1", "", ""},
		{"no span", fields("traceparent: 00-" + testTrace + "-" + strings.Repeat("0", 16) + "-01"), newUnsampled, "NEW SPAN 1", "", ""},
		{"twice", fields("traceparent: "+testParent, "traceparent: "+testParent), newUnsampled, "NEW SPAN 1", "", ""},
		{"twice, but X-Ray", fields("traceparent: "+testParent, "traceparent: "+testParent, "x-amzn-trace-id: "+testRoot), unsampled, sampled, "", ""},

		{"state", fields("traceparent: "+testParent, "tracestate: a=1,b@c=2"), sampled, "", "", "a=1,b@c=2"},
		{"two states", fields("tracestate: a=1", "traceparent: "+testParent, "tracestate: b=2"), sampled, "", "", "a=1,b=2"},
		{"empty state", fields("traceparent: "+testParent, "tracestate: "), sampled, "", "", ""},
		{"bad key", fields("traceparent: "+testParent, "tracestate: A=1"), sampled, "", "", ""},
		{"bad value", fields("traceparent: "+testParent, "tracestate: a=\xff"), sampled, "", "", ""},
		{"no value", fields("traceparent: "+testParent, "tracestate: a"), sampled, "", "", ""},
		{"long state", fields("traceparent: "+testParent, "tracestate: a="+strings.Repeat("1", 511)), sampled, "", "", ""},
		{"longest state", fields("traceparent: "+testParent, "tracestate: a="+strings.Repeat("1", 510)), sampled, "", "", "a=" + strings.Repeat("1", 510)},
		{"many states", fields("traceparent: "+testParent, "tracestate: a=1"+strings.Repeat(",a=1", 32)), sampled, "", "", ""},
		{"state without parent", fields("tracestate: a=1"), newUnsampled, "NEW SPAN 1", "", ""},
		{"state with a bad parent", fields("traceparent: x", "tracestate: a=1"), newUnsampled, "NEW SPAN 1", "", ""},
		{"state with X-Ray", fields("x-amzn-trace-id: "+testRoot+";Sampled=1", "tracestate: a=1"), sampled, "", "", ""},

		{"X-Ray root", fields("X-Amzn-Trace-Id: " + testRoot), unsampled, sampled, "", ""},
		{"X-Ray parent", fields("X-Amzn-Trace-Id: " + testRoot + ";Parent=" + testSpan), unsampled, sampled, "", ""},
		{"X-Ray sampled", fields("X-Amzn-Trace-Id: " + testRoot + ";Parent=" + testSpan + ";Sampled=1"), sampled, "", "", ""},
		{"X-Ray not sampled", fields("X-Amzn-Trace-Id: " + testRoot + ";Parent=" + testSpan + ";Sampled=0"), unsampled, "", "", ""},
		{"X-Ray open", fields("X-Amzn-Trace-Id: " + testRoot + ";Sampled=?"), unsampled, sampled, "", ""},
		{"X-Ray in another order", fields("X-Amzn-Trace-Id: Sampled=1; " + testRoot + " "), sampled, "", "", ""},
		{"X-Ray with more", fields("X-Amzn-Trace-Id: Self=1-67891234-12456789abcdef012345678;" + testRoot + ";Lineage=1:a87bd80c:0|68fd508a;Sampled=1"), sampled, "",
			";Self=1-67891234-12456789abcdef012345678;Lineage=1:a87bd80c:0|68fd508a", ""},
		{"X-Ray with odd members", fields("X-Amzn-Trace-Id: " + testRoot + ";a;=b;c=;d=e f;g=\x01;h=\"i\";;j=k=l"), unsampled, sampled, ";j=k=l", ""},
		{"X-Ray with what does not fit", fields("X-Amzn-Trace-Id: " + testRoot + ";a=" + strings.Repeat("b", 190) + ";c=d"), unsampled, sampled, ";c=d", ""},
		{"X-Ray too long", fields("X-Amzn-Trace-Id: " + testRoot + ";a=" + strings.Repeat("b", 300)), newUnsampled, "NEW SPAN 1", "", ""},
		{"X-Ray twice", fields("X-Amzn-Trace-Id: "+testRoot, "X-Amzn-Trace-Id: "+testRoot), newUnsampled, "NEW SPAN 1", "", ""},
		{"X-Ray two roots", fields("X-Amzn-Trace-Id: " + testRoot + ";" + testRoot), newUnsampled, "NEW SPAN 1", "", ""},
		{"X-Ray two parents", fields("X-Amzn-Trace-Id: " + testRoot + ";Parent=" + testSpan + ";Parent=" + testSpan), newUnsampled, "NEW SPAN 1", "", ""},
		{"X-Ray two decisions", fields("X-Amzn-Trace-Id: " + testRoot + ";Sampled=0;Sampled=1"), newUnsampled, "NEW SPAN 1", "", ""},
		{"X-Ray bad decision", fields("X-Amzn-Trace-Id: " + testRoot + ";Sampled=2"), newUnsampled, "NEW SPAN 1", "", ""},
		{"X-Ray bad parent", fields("X-Amzn-Trace-Id: " + testRoot + ";Parent=0"), newUnsampled, "NEW SPAN 1", "", ""},
		{"X-Ray no parent", fields("X-Amzn-Trace-Id: " + testRoot + ";Parent=" + strings.Repeat("0", 16)), newUnsampled, "NEW SPAN 1", "", ""},
		{"X-Ray no root", fields("X-Amzn-Trace-Id: Self=1-2-3;Sampled=1"), newUnsampled, "NEW SPAN 1", "", ""},
		{"X-Ray bad root", fields("X-Amzn-Trace-Id: Root=2" + testRoot[6:]), newUnsampled, "NEW SPAN 1", "", ""},
		{"X-Ray root of zeros", fields("X-Amzn-Trace-Id: Root=1-00000000-" + strings.Repeat("0", 24)), newUnsampled, "NEW SPAN 1", "", ""},
		{"X-Ray root in upper case", fields("X-Amzn-Trace-Id: " + strings.ToUpper(testRoot)), newUnsampled, "NEW SPAN 1", "", ""},

		{"both, of different opinions", fields("traceparent: "+testParent, "X-Amzn-Trace-Id: Root=1-11111111-111111111111111111111111;Parent=2222222222222222;Sampled=0;a=b"), sampled, "", ";a=b", ""},
		{"both, one bad", fields("traceparent: "+testParent, "X-Amzn-Trace-Id: Root=1;a=b"), sampled, "", "", ""},
	} {
		if tt.always == "" {
			tt.always = tt.want
		}
		for sample, want := range map[float64]string{0: tt.want, 1: tt.always} {
			x := &gateway.Exchange{Start: time.Unix(0x12345678, 0)}
			x.Request.Header = tt.header
			mustTracer(t, Config{Sample: sample}).Start(x)
			checkTrace(t, tt.name, x, want, tt.rest, tt.state)
		}
	}
}

var (
	parentForm = regexp.MustCompile(`^00-([0-9a-f]{32})-([0-9a-f]{16})-0([01])$`)
	amazonForm = regexp.MustCompile(`^Root=1-([0-9a-f]{8})-([0-9a-f]{24});Parent=([0-9a-f]{16});Sampled=([01])(.*)$`)
)

func checkTrace(t *testing.T, name string, x *gateway.Exchange, want, rest, state string) {
	t.Helper()
	p, a := parentForm.FindStringSubmatch(x.Trace.Parent), amazonForm.FindStringSubmatch(x.Trace.Amazon)
	if p == nil || a == nil || p[1] != a[1]+a[2] || p[2] != a[3] || p[3] != a[4] {
		t.Errorf("%s: got %q and %q", name, x.Trace.Parent, x.Trace.Amazon)
		return
	}
	got := p[1]
	switch {
	case got == testTrace:
		got = "TRACE"
	case strings.HasPrefix(got, "12345678"):
		got = "NEW"
	}
	if p[2] == testSpan || p[2] == "0000000000000000" {
		t.Errorf("%s: span %s", name, p[2])
	}
	got += " SPAN " + p[3]
	if got != want || a[5] != rest || x.Trace.State != state || len(x.Trace.Amazon) > maxAmazon {
		t.Errorf("%s: got %s, rest %q, state %q; want %s, rest %q, state %q", name, got, a[5], x.Trace.State, want, rest, state)
	}
	if sampled := x.Span != nil; sampled != (p[3] == "1") {
		t.Errorf("%s: sampled %v, told %s", name, sampled, p[3])
	}
}

func TestSampling(t *testing.T) {
	t.Parallel()
	share := func(tracer *Tracer, header []gateway.Field) float64 {
		n := 0
		for range 20000 {
			x := &gateway.Exchange{Start: time.Unix(1, 0)}
			x.Request.Header = header
			if tracer.Start(x); x.Span != nil {
				n++
			}
		}
		return float64(n) / 20000
	}
	trusting, wary := mustTracer(t, Config{Sample: 0.25}), mustTracer(t, Config{Sample: 0.25, TrustParent: new(false)})
	low, high := "traceparent: 00-"+testTrace[:16]+"0000000000000001-"+testSpan+"-01", "X-Amzn-Trace-Id: Root=1-5759e988-bd862e3fffffffffffffffff"
	for _, tt := range []struct {
		name     string
		tracer   *Tracer
		header   []gateway.Field
		from, to float64
	}{
		{"new trace", trusting, nil, 0.23, 0.27},
		{"sampled", trusting, fields("traceparent: " + testParent), 1, 1},
		{"not sampled", trusting, fields("X-Amzn-Trace-Id: " + testRoot + ";Sampled=0"), 0, 0},
		{"open, by id", trusting, fields(high), 0, 0},
		{"new trace, no trust", wary, nil, 0.23, 0.27},
		{"sampled, no trust", wary, fields("traceparent: " + testParent), 0.23, 0.27},
		{"not sampled, no trust", wary, fields("X-Amzn-Trace-Id: " + testRoot + ";Sampled=0"), 0.23, 0.27},
		{"low id, no trust", wary, fields(low), 0.23, 0.27},
	} {
		if got := share(tt.tracer, tt.header); got < tt.from || got > tt.to {
			t.Errorf("%s: sampled %v, want %v to %v", tt.name, got, tt.from, tt.to)
		}
	}
}

func TestStartAllocates(t *testing.T) {
	tracer := mustTracer(t, Config{})
	x := &gateway.Exchange{Start: time.Unix(1, 0)}
	for _, header := range [][]gateway.Field{
		nil,
		fields("traceparent: "+testParent[:54]+"0", "tracestate: a=1", "X-Amzn-Trace-Id: "+testRoot+";Self=1"),
	} {
		x.Request.Header = header
		if n := testing.AllocsPerRun(1000, func() { tracer.Start(x); tracer.End(x) }); n > 1 {
			t.Errorf("%v: %v allocations, want one", header, n)
		}
	}
}

func FuzzStart(f *testing.F) {
	f.Add(testParent, "a=1", testRoot+";Parent="+testSpan+";Sampled=1;a=b")
	f.Add("cc"+testParent[2:]+"-x", "", ";;=;Root=")
	tracer := mustTracer(f, Config{Sample: 0.5})
	f.Fuzz(func(t *testing.T, parent, state, amazon string) {
		x := &gateway.Exchange{Start: time.Unix(0x12345678, 0)}
		x.Request.Header = []gateway.Field{{Name: "traceparent", Value: parent}, {Name: "tracestate", Value: state}, {Name: "x-amzn-trace-id", Value: amazon}}
		tracer.Start(x)
		p, a := parentForm.FindStringSubmatch(x.Trace.Parent), amazonForm.FindStringSubmatch(x.Trace.Amazon)
		if p == nil || a == nil || p[1] != a[1]+a[2] || p[2] != a[3] || p[3] != a[4] || len(x.Trace.Amazon) > maxAmazon || len(x.Trace.State) > maxState {
			t.Fatalf("got %+v", x.Trace)
		}
		// What is told is understood and told again.
		y := &gateway.Exchange{}
		y.Request.Header = []gateway.Field{{Name: "traceparent", Value: x.Trace.Parent}, {Name: "tracestate", Value: x.Trace.State}, {Name: "x-amzn-trace-id", Value: x.Trace.Amazon}}
		tracer.Start(y)
		b := amazonForm.FindStringSubmatch(y.Trace.Amazon)
		if y.Trace.Parent[:36] != x.Trace.Parent[:36] || y.Trace.State != x.Trace.State || b == nil || b[5] != a[5] || (y.Span == nil) != (x.Span == nil) {
			t.Fatalf("got %+v, then %+v", x.Trace, y.Trace)
		}
	})
}

func BenchmarkStart(b *testing.B) {
	for _, bb := range []struct {
		name   string
		sample float64
		header []gateway.Field
	}{
		{"unsampled", 0, fields("Host: a", "User-Agent: b", "Accept: */*", "Content-Length: 1")},
		{"unsampled from caller", 0, fields("Host: a", "traceparent: "+testParent[:54]+"0", "tracestate: a=1,b=2", "X-Amzn-Trace-Id: "+testRoot+";Self=1")},
		{"sampled", 1, fields("Host: a")},
	} {
		b.Run(bb.name, func(b *testing.B) {
			tracer := mustTracer(b, Config{Sample: bb.sample})
			x := &gateway.Exchange{Start: time.Unix(1, 0)}
			x.Request.Header = bb.header
			b.ReportAllocs()
			for b.Loop() {
				tracer.Start(x)
			}
		})
	}
}
