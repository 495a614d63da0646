package function

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	mathrand "math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"

	"penstock/internal/audit"
	"penstock/internal/integration"
	"penstock/internal/lambda"
	"penstock/internal/policy"
	"penstock/internal/store"
)

// Options are what a Service needs.
type Options struct {
	// Store keeps the documents of functions.
	Store store.Store
	// Dir is where code is kept. If it is empty, code is kept in a temporary directory
	// that Close removes.
	Dir string
	// Host runs the functions that are not in this process.
	Host *lambda.Host
	// Account and Region are whose functions these are.
	Account, Region string
	// Declared are the functions of the configuration, by name.
	Declared map[string]Declared
	// Enforce says that permissions decide who may call a function.
	Enforce bool
	// Roles says what roles may do; nil if roles are not known.
	Roles Roles
	// Authenticate says who makes a request of the Lambda API; nil lets everyone do
	// everything. An error with a method Code is shown to the caller.
	Authenticate func(r *http.Request, body []byte) (Principal, error)
	// Retries are how long to wait before each repetition of an asynchronous invocation
	// that failed; nil for 1 and 2 minutes.
	Retries []time.Duration
	// Audit gets a line for each call of the Lambda API; nil for none.
	Audit *audit.Log
	Log   *slog.Logger
	Now   func() time.Time

	// start makes what runs a version, in place of Host.
	start func(lambda.Spec) runner
}

// A Principal is who calls the Lambda API.
type Principal struct {
	Name, ARN string
	Policy    *policy.Document // what it may do; nil if everything
}

// A runner runs the invocations of one version of a function.
type runner interface {
	Invoke(ctx context.Context, call lambda.Call) (lambda.Result, error)
	Configure(lambda.Spec)
	Close()
}

// A Service knows the functions and answers the Lambda API. It may be used by many
// goroutines.
type Service struct {
	Options

	codes    *codes
	declared map[string]*declaredCode // of the functions of the configuration that run as processes
	signing  [32]byte                 // key of the links to code, new for each process

	edits sync.Mutex // held from reading documents to swapping live
	live  atomic.Pointer[map[string]*function]

	bodies *semaphore.Weighted // bytes of request bodies in memory
	large  *semaphore.Weighted // those of many megabytes
	events *queue              // asynchronous invocations

	process process // functions of this process

	closing sync.Once
	closed  error
}

// Open returns a Service for the functions of the store and of the configuration.
func Open(o Options) (*Service, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.start == nil {
		host := o.Host
		o.start = func(s lambda.Spec) runner { return host.NewFunction(s) }
	}
	s := &Service{
		Options:  o,
		declared: map[string]*declaredCode{},
		bodies:   semaphore.NewWeighted(maxBodies),
		large:    semaphore.NewWeighted(maxLarge),
	}
	rand.Read(s.signing[:]) // never fails
	s.live.Store(&map[string]*function{})
	if err := s.open(); err != nil {
		s.release()
		return nil, err
	}
	s.events = newEvents(s)
	return s, nil
}

func (s *Service) open() error {
	var err error
	if s.codes, err = openCodes(s.Dir, s.Log, s.isReferenced); err != nil {
		return err
	}
	if err := s.takeCode(); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(s.Declared)) {
		d := s.Declared[name]
		if d.Invoke != nil {
			continue
		}
		code, err := openDeclared(d.Code, s.codes.dir)
		if err != nil {
			return fmt.Errorf("functions.%s.code: %w: want a directory or a zip file", name, err)
		}
		s.declared[name] = code
	}
	live := map[string]*function{}
	for _, stored := range s.Store.List(documentPrefix) {
		d, err := parseDocument(stored)
		if err != nil {
			return err
		}
		if f := s.build(d.Name, d, nil); f != nil {
			live[d.Name] = f
		}
		if _, also := s.Declared[d.Name]; also && d.Latest != nil {
			s.Log.Warn("a function of the configuration hides one of the same name that was made by the API", "function", d.Name)
		}
	}
	for name := range s.Declared {
		if live[name] == nil {
			live[name] = s.build(name, &Document{Name: name}, nil)
		}
	}
	s.live.Store(&live)
	for _, f := range live {
		for _, t := range f.versions {
			if code, ok := t.spec.Source.(*code); ok && isSum(code.sum) && !s.codes.has(code.sum) {
				s.Log.Error("the code of a function is missing: update it", "function", f.name, "version", t.version, "file", s.codes.zip(code.sum))
			}
		}
	}
	return s.codes.sweep()
}

// Close ends the invocations that wait and lets go of the code. The Host is closed by
// whoever made it.
func (s *Service) Close() error {
	s.closing.Do(func() {
		s.events.close()
		s.closed = s.release()
	})
	return s.closed
}

func (s *Service) release() error {
	s.edits.Lock()
	defer s.edits.Unlock()
	for _, f := range *s.live.Load() {
		f.close(nil)
	}
	s.live.Store(&map[string]*function{})
	var errs []error
	for _, d := range s.declared {
		errs = append(errs, d.Close())
	}
	if s.codes != nil {
		errs = append(errs, s.codes.Close())
	}
	return errors.Join(errs...)
}

// resolve returns what to call for a name and a qualifier, which may be empty. An alias
// of two versions leads to one of them by chance. A function of the configuration has
// one version, which every qualifier leads to: that is how it answers to ARNs that were
// written for another place.
func (s *Service) resolve(name, qualifier string) (*target, error) {
	f := (*s.live.Load())[name]
	if f == nil {
		return nil, s.notFound(name, qualifier)
	}
	c, ok := f.qualified[qualifier]
	switch {
	case !ok && f.declared != nil:
		t := *f.qualified[""].first
		t.qualifier, t.invokedARN = qualifier, f.arn+":"+qualifier
		return &t, nil
	case !ok:
		return nil, s.notFound(name, qualifier)
	case c.second != nil && mathrand.Float64() < c.weight:
		return c.second, nil
	default:
		return c.first, nil
	}
}

// Has reports whether there is a function of a name.
func (s *Service) Has(name string) bool {
	_, ok := (*s.live.Load())[name]
	return ok
}

// find returns a function; an *Error if there is none.
func (s *Service) find(name string) (*function, error) {
	if f := (*s.live.Load())[name]; f != nil {
		return f, nil
	}
	return nil, s.notFound(name, "")
}

// edit changes the document of a function: change gets one that nobody else has, and
// what it makes of it is committed and served before edit returns. If another process
// was faster, change is called again with what is there now. If change returns an
// error, nothing is changed. A function of the configuration has a document without
// Latest. What edit returns must not be changed.
func (s *Service) edit(ctx context.Context, principal Principal, name string, change func(*Document) error) (*Document, error) {
	return s.replace(ctx, principal, name, func(d *Document) (*Document, error) {
		if d == nil {
			return nil, s.notFound(name, "")
		}
		return d, change(d)
	})
}

// maxAttempts is how often an edit is made again because another process was faster.
const maxAttempts = 20

// replace is edit for functions that need not exist: change gets nil for one that does
// not, and returns nil to delete it.
func (s *Service) replace(ctx context.Context, principal Principal, name string, change func(*Document) (*Document, error)) (*Document, error) {
	s.edits.Lock()
	defer s.edits.Unlock()
	for range maxAttempts {
		d, err := s.attempt(ctx, principal, name, change)
		if !errors.Is(err, store.ErrConflict) {
			return d, err
		}
	}
	return nil, conflict("The function %s is being changed by somebody else: try again.", name)
}

func (s *Service) attempt(ctx context.Context, principal Principal, name string, change func(*Document) (*Document, error)) (*Document, error) {
	key := documentPrefix + name
	stored, exists := s.Store.Get(key)
	_, declared := s.Declared[name]
	var d *Document
	if exists {
		var err error
		if d, err = parseDocument(stored); err != nil {
			return nil, err
		}
	}
	switch {
	case declared && d == nil:
		d = &Document{Name: name}
	case !declared && d != nil && d.Latest == nil:
		d = nil // what is left of a function that the configuration once declared
	}
	d, err := change(d)
	if err != nil {
		return nil, err
	}
	c := store.Change{Key: key, Delete: d == nil}
	if d != nil {
		if c.Data, err = json.Marshal(d); err != nil {
			return nil, err
		}
		if len(c.Data) > maxDocument {
			return nil, invalid("The function %s has more versions, aliases and permissions than fit into %d bytes.", name, maxDocument)
		}
	}
	if string(stored.Data) != string(c.Data) {
		batch := store.Batch{Actor: principal.Name, Expect: map[string]uint64{key: stored.Rev}, Changes: []store.Change{c}}
		if _, err := s.Store.Append(ctx, batch); err != nil {
			return nil, err
		}
	}
	s.serve(name, d)
	return d, nil
}

// serve makes a document what is called from now on. Its caller holds edits.
func (s *Service) serve(name string, d *Document) {
	old := (*s.live.Load())[name]
	var f *function
	if d != nil {
		f = s.build(name, d, old)
	}
	live := maps.Clone(*s.live.Load())
	if f == nil {
		delete(live, name)
	} else {
		live[name] = f
	}
	s.live.Store(&live)
	if old == nil {
		return
	}
	old.close(f)
	s.codes.retire(old.codes())
}

// arn returns the ARN of a function, without a qualifier.
func (s *Service) arn(name string) string {
	return s.arnIn(s.Account, name)
}

// arnIn returns the ARN of a function of an account.
func (s *Service) arnIn(account, name string) string {
	return "arn:" + integration.Partition(s.Region) + ":lambda:" + s.Region + ":" + account + ":function:" + name
}

func parseDocument(stored store.Document) (*Document, error) {
	var d Document
	if err := json.Unmarshal(stored.Data, &d); err != nil {
		return nil, fmt.Errorf("document %s: %w", stored.Key, err)
	}
	if documentPrefix+d.Name != stored.Key {
		return nil, fmt.Errorf("document %s: it is of function %s", stored.Key, strconv.Quote(d.Name))
	}
	return &d, nil
}

// documentPrefix is that of the keys of documents.
const documentPrefix = "function."

// maxDocument is how many bytes a document may have.
const maxDocument = 4 << 20

// latest is the version that can be changed.
const latest = "$LATEST"
