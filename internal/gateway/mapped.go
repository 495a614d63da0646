package gateway

// A ChangeKind says what a parameter mapping does with a header field or a query
// parameter.
type ChangeKind uint8

// The kinds of changes, in the order in which they are applied.
const (
	Remove ChangeKind = iota
	Overwrite
	Append
)

func (k ChangeKind) String() string { return [...]string{"remove", "overwrite", "append"}[k] }

// A Change is what a parameter mapping does with one header field or query
// parameter. Value is not escaped.
type Change struct {
	Kind        ChangeKind
	Name, Value string
}

// Mapped is what the request mapping of an integration made of an exchange: changes
// to the request as it came, which stays as it is. Removes come first, then
// overwrites, then appends, each by name. It belongs to the exchange, which keeps its
// buffers for the next one.
type Mapped struct {
	Header, Query []Change
	// Path, if HasPath, takes the place of the whole path of the URI. It starts with a
	// slash and is not escaped.
	Path    string
	HasPath bool
	// Text is room for the values, which point into it.
	Text []byte
}

// reset empties m and keeps its room.
func (m *Mapped) reset() {
	clear(m.Header)
	clear(m.Query)
	m.Header, m.Query = m.Header[:0], m.Query[:0]
	m.Path, m.HasPath = "", false
	keep(&m.Text, keepBuffer)
	m.Text = m.Text[:0]
}
