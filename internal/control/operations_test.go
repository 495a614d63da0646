package control

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"penstock/internal/model"
)

var update = flag.Bool("update", false, "rewrite docs/operations.md")

// since is the version that the operations have come with.
const since = "0.1"

const operationsHead = `<!-- Made from the tables of internal/control by go generate; edit those. -->

# Operations

Penstock answers all %d operations of API Gateway V2: paths, statuses, members, limits
and defaults are those of the service model. What HTTP and WebSocket APIs do at run
time is another matter, and is said in the README. Everything is there when the answer
arrives; nothing has to be waited for.

| Operation | Request | Answer | Status | Since | Notes |
| --- | --- | --- | --- | --- | --- |
`

// TestOperationsPage holds docs/operations.md to the operations there are.
func TestOperationsPage(t *testing.T) {
	var b bytes.Buffer
	fmt.Fprintf(&b, operationsHead, len(model.Operations))
	for _, op := range model.Operations {
		status := "built"
		if handlers[op.Name] == nil {
			status = "missing"
		}
		fmt.Fprintf(&b, "| %s | `%s %s` | %d | %s | %s | %s |\n", op.Name, op.Method, op.Path, op.Status, status, since, notes[op.Name])
	}
	for name := range notes {
		if model.FindOperation(name) == nil {
			t.Errorf("there is a note about %s, which is no operation", name)
		}
	}
	file := filepath.Join("..", "..", "docs", "operations.md")
	if *update {
		if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, b.Bytes()) {
		t.Errorf("%s is not what the tables say: run go generate ./...", file)
	}
}
