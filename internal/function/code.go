package function

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"penstock/internal/lambda"
	"penstock/internal/lambda/source"
)

// maxZip is how many bytes a zip may have. Source: Lambda quotas.
const maxZip = 50 << 20

// retirement is how long code that no version has any more stays where it is: longer
// than any invocation that began with it may take.
const retirement = 20 * time.Minute

// codes are the zips that were uploaded: each in a file {sum}.zip, unpacked into a
// directory {sum} when it is first run. A sum is the SHA-256 of the zip in hexadecimal
// digits.
type codes struct {
	dir        string
	temporary  bool
	log        *slog.Logger
	referenced func(sum string) bool // by a version that is served

	mu      sync.Mutex // guards what follows, and removing
	sources map[string]*code
	held    map[string]int         // uploads whose versions are not yet served
	retired map[string]*time.Timer // that remove a directory
	closed  bool
}

func openCodes(dir string, log *slog.Logger, referenced func(string) bool) (*codes, error) {
	c := &codes{
		dir:        dir,
		log:        log,
		referenced: referenced,
		sources:    map[string]*code{},
		held:       map[string]int{},
		retired:    map[string]*time.Timer{},
	}
	var err error
	if dir == "" {
		c.temporary = true
		if c.dir, err = os.MkdirTemp("", "penstock-functions-"); err != nil {
			return nil, fmt.Errorf("make a directory for the code of functions: %w", err)
		}
		// Functions may run as another user, who passes through and sees no more.
		return c, os.Chmod(c.dir, 0o711)
	}
	if c.dir, err = filepath.Abs(dir); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(c.dir, 0o711); err != nil {
		return nil, fmt.Errorf("make the directory for the code of functions: %w", err)
	}
	// What a process left behind that ended in the middle of something.
	return c, c.remove(func(name string) bool {
		return strings.HasSuffix(name, unfinished) || unpacking.MatchString(name)
	})
}

// unpacking are the names of directories that source.Extract has not finished.
var unpacking = regexp.MustCompile(`^\.[0-9a-f]{64}\.part-`)

// unfinished is the end of the names of what is not yet whole, or not for longer than
// this process.
const unfinished = ".new"

// Close removes a temporary directory.
func (c *codes) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	for _, t := range c.retired {
		t.Stop()
	}
	clear(c.retired)
	if !c.temporary {
		return nil
	}
	return os.RemoveAll(c.dir)
}

// zip returns the name of a file, unpacked that of a directory.
func (c *codes) zip(sum string) string      { return filepath.Join(c.dir, sum+".zip") }
func (c *codes) unpacked(sum string) string { return filepath.Join(c.dir, sum) }

func (c *codes) has(sum string) bool {
	info, err := os.Stat(c.zip(sum))
	return err == nil && info.Mode().IsRegular()
}

// put keeps a zip and returns its sum. It stays until release is called, and as long
// as a version has it. When put returns, the file is as durable as the system can make
// it.
func (c *codes) put(zip []byte) (sum string, release func(), err error) {
	digest := sha256.Sum256(zip)
	sum = hex.EncodeToString(digest[:])
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return "", nil, errors.New("the server is shutting down")
	}
	c.held[sum]++
	c.mu.Unlock()
	if !c.has(sum) {
		err = c.write(sum, zip)
	}
	c.mu.Lock()
	if err != nil {
		c.release(sum)
		return "", nil, fmt.Errorf("keep the code of a function: %w", err)
	}
	return sum, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.release(sum)
	}, nil
}

// release ends a hold. The mutex is held.
func (c *codes) release(sum string) {
	if c.held[sum]--; c.held[sum] == 0 {
		delete(c.held, sum)
	}
	c.drop(sum)
}

// write makes a file that is there whole or not at all.
func (c *codes) write(sum string, zip []byte) (err error) {
	f, err := os.CreateTemp(c.dir, "upload-*"+unfinished) // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	_, err = f.Write(zip)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err = os.Rename(f.Name(), c.zip(sum)); err != nil {
		return err
	}
	return syncDir(c.dir)
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// retire removes what no version has any more: the zips now, and the directories when
// nothing can run in them any longer.
func (c *codes) retire(sums []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, sum := range sums {
		c.drop(sum)
	}
}

// drop retires one sum, if nothing has it. The mutex is held.
func (c *codes) drop(sum string) {
	if c.closed || !isSum(sum) || c.inUse(sum) {
		return
	}
	if err := os.Remove(c.zip(sum)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		c.log.Warn("the code of a function cannot be removed", "error", err)
	}
	delete(c.sources, sum)
	if _, err := os.Lstat(c.unpacked(sum)); err != nil {
		return
	}
	if t := c.retired[sum]; t != nil {
		t.Stop()
	}
	var t *time.Timer
	t = time.AfterFunc(retirement, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.retired[sum] == t {
			c.expire(sum)
		}
	})
	c.retired[sum] = t
}

// expire removes a directory, unless something has it again. The mutex is held.
func (c *codes) expire(sum string) {
	delete(c.retired, sum)
	if c.closed || c.inUse(sum) {
		return
	}
	if err := os.RemoveAll(c.unpacked(sum)); err != nil {
		c.log.Warn("the code of a function cannot be removed", "error", err)
	}
}

func (c *codes) inUse(sum string) bool { return c.held[sum] > 0 || c.referenced(sum) }

// isSum reports whether a text is the name of a zip and nothing else.
func isSum(s string) bool { return len(s) == 2*sha256.Size && codeFile.MatchString(s) }

var codeFile = regexp.MustCompile(`^([0-9a-f]{64})(\.zip)?$`)

// sweep removes what no version has. Nothing runs yet.
func (c *codes) sweep() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.remove(func(name string) bool {
		m := codeFile.FindStringSubmatch(name)
		return m != nil && !c.inUse(m[1])
	})
}

// remove removes the files and directories that which selects. What is not ours stays.
func (c *codes) remove(which func(name string) bool) error {
	entries, err := os.ReadDir(c.dir)
	if err != nil {
		return fmt.Errorf("read the directory for the code of functions: %w", err)
	}
	for _, e := range entries {
		if !which(e.Name()) {
			continue
		}
		if err := os.RemoveAll(filepath.Join(c.dir, e.Name())); err != nil {
			return fmt.Errorf("remove the code of a function that is gone: %w", err)
		}
	}
	return nil
}

// source returns the code of a sum: the same each time, so that two versions of one
// code unpack it once.
func (c *codes) source(sum string) *code {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.sources[sum]; s != nil {
		return s
	}
	s := &code{codes: c, sum: sum}
	if digest, err := hex.DecodeString(sum); err == nil && len(digest) >= 8 {
		s.revision = binary.BigEndian.Uint64(digest)
	}
	c.sources[sum] = s
	return s
}

// A code is one uploaded zip. It is a lambda.Source.
type code struct {
	codes    *codes
	sum      string
	revision uint64
	ready    atomic.Bool
	mu       sync.Mutex // held while it is unpacked
}

// Code implements lambda.Source. The first call unpacks the zip. If no version has the
// code any more and it is gone, the error is lambda.ErrClosed: whoever invokes a function
// that was found before an edit then looks for it again.
func (c *code) Code() (dir string, revision uint64, err error) {
	dir = c.codes.unpacked(c.sum)
	if c.ready.Load() {
		return dir, c.revision, nil
	}
	if !isSum(c.sum) {
		return "", 0, errors.New("the function has no code")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ready.Load() {
		return dir, c.revision, nil
	}
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		if err := c.unpack(dir); err != nil {
			return "", 0, err
		}
		c.codes.retire([]string{c.sum}) // if its last version went meanwhile
	}
	c.ready.Store(true)
	return dir, c.revision, nil
}

func (c *code) unpack(dir string) error {
	f, err := os.Open(c.codes.zip(c.sum))
	if err != nil {
		if !c.codes.referenced(c.sum) {
			return fmt.Errorf("no version has the code any more: %w", lambda.ErrClosed)
		}
		return fmt.Errorf("the code of the function is missing: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	err = source.Extract(f, info.Size(), dir, source.Limits{})
	if info, missing := os.Stat(dir); err != nil && missing == nil && info.IsDir() {
		return nil // the zip has gone, was uploaded again, and the other was faster
	}
	if err != nil {
		return fmt.Errorf("unpack the code of the function: %w", err)
	}
	return nil
}

// checkZip refuses a zip that could not be unpacked.
func checkZip(text []byte) error {
	if len(text) > maxZip {
		return errZipTooLarge
	}
	err := source.Check(bytes.NewReader(text), int64(len(text)), source.Limits{})
	if archive := (*source.ArchiveError)(nil); errors.As(err, &archive) {
		unzip := *errUnzip
		unzip.Message += " (" + archive.Error() + ")"
		return &unzip
	}
	if err != nil {
		return err
	}
	if r, err := zip.NewReader(bytes.NewReader(text), int64(len(text))); err == nil && len(r.File) == 0 {
		return errEmptyZip
	}
	return nil
}

// A declaredCode is where the code of a function of the configuration is: a
// lambda.Source.
type declaredCode struct {
	lambdaSource
}

type lambdaSource interface {
	Code() (dir string, revision uint64, err error)
	Close() error
}

// openDeclared opens a directory or a zip file. What is unpacked goes into a directory
// under dir.
func openDeclared(path, dir string) (*declaredCode, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		d, err := source.Directory(path)
		if err != nil {
			return nil, err
		}
		return &declaredCode{d}, nil
	}
	into, err := os.MkdirTemp(dir, "declared-*"+unfinished)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(into, 0o711); err != nil {
		return nil, err
	}
	z, err := source.Zip(path, into)
	if err != nil {
		os.RemoveAll(into)
		return nil, err
	}
	return &declaredCode{&declaredZip{z, into}}, nil
}

// A declaredZip is unpacked into a directory of its own.
type declaredZip struct {
	*source.ZipFile
	into string
}

func (z *declaredZip) Close() error { return errors.Join(z.ZipFile.Close(), os.RemoveAll(z.into)) }
