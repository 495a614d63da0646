//go:build velocity

package velocity

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// answerTime is how long Velocity may take for a case before it is given up: some templates
// have no end in it.
const answerTime = 20 * time.Second

// An engine is a Java process that runs Oracle.java. It is started again when it is given up.
type engine struct {
	t     testing.TB
	java  *exec.Cmd
	in    io.WriteCloser
	lines *bufio.Reader
}

// newEngine returns an engine with the Java class path in the environment, which run.sh puts
// there.
func newEngine(t testing.TB) *engine {
	t.Helper()
	if os.Getenv("VELOCITY_CLASSPATH") == "" {
		t.Fatal("VELOCITY_CLASSPATH is not set: run make velocity")
	}
	e := &engine{t: t}
	e.start()
	t.Cleanup(e.stop)
	return e
}

func (e *engine) start() {
	e.java = exec.Command("java", "-Xss1m", "-Xmx512m", "-XX:+UseSerialGC", "-cp", os.Getenv("VELOCITY_CLASSPATH"), "Oracle")
	e.java.Stderr = os.Stderr
	var out io.Reader
	var err error
	if e.in, err = e.java.StdinPipe(); err == nil {
		if out, err = e.java.StdoutPipe(); err == nil {
			err = e.java.Start()
		}
	}
	if err != nil {
		e.t.Fatalf("start Velocity: %v", err)
	}
	e.lines = bufio.NewReader(out)
}

func (e *engine) stop() {
	e.in.Close()
	e.java.Process.Kill()
	e.java.Wait() // what it says of being killed is no news
}

// An answer is what Velocity says of a case: a kind, which is "ok", "parse", "exec" or "skip",
// and the output, the exception or the name of a difference.
type answer struct{ kind, text string }

// ask sends cases to Velocity and returns an answer for each.
func (e *engine) ask(cases []example) []answer {
	answers := make([]answer, 0, len(cases))
	for len(answers) < len(cases) {
		rest := cases[len(answers):]
		sent := make(chan struct{})
		go func(in io.Writer) {
			defer close(sent)
			w := bufio.NewWriter(in)
			for _, c := range rest {
				fmt.Fprintf(w, "%s %s\n", base64.StdEncoding.EncodeToString([]byte(c.Template)),
					base64.StdEncoding.EncodeToString([]byte(c.Payload)))
			}
			w.Flush() // an engine that is gone does not answer either
		}(e.in)
		for range rest {
			timer := time.AfterFunc(answerTime, func() { e.java.Process.Kill() })
			line, err := e.lines.ReadString('\n')
			timer.Stop()
			if err != nil {
				answers = append(answers, answer{"skip", "time"})
				e.stop()
				e.start()
				break
			}
			kind, encoded, _ := strings.Cut(strings.TrimSpace(line), " ")
			text, err := base64.StdEncoding.DecodeString(encoded)
			if err != nil {
				e.t.Fatalf("Velocity answers %q: %v", line, err)
			}
			answers = append(answers, answer{kind, string(text)})
		}
		<-sent
	}
	return answers
}
