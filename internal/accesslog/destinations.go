package accesslog

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
)

// anyARN is the ARN of the destination for stages whose own is not configured.
const anyARN = "*"

// A Destination says where the access logs go whose stage names an ARN. One of File,
// Stream and Writer is set.
type Destination struct {
	// ARN is that of a log group or a delivery stream, with or without ":*" at its end;
	// "*" stands for all that are not in the list.
	ARN string
	// File is the path of a file, MaxSize and MaxFiles are as in FileConfig.
	File     string
	MaxSize  int64
	MaxFiles int
	// Stream is "stdout" or "stderr".
	Stream string
	Writer io.Writer
	// Buffer is how many bytes wait to be written at most. Default: 4 MiB.
	Buffer int
}

// Destinations are the Sinks of a server, found by ARN. A nil *Destinations has none.
type Destinations struct {
	sinks map[string]*Sink // by ARN
	each  []*Sink          // each once
}

// Open returns the Sinks of a list. Destinations with the same file, stream or writer
// share one, so that lines never run into each other; they must then agree in their
// limits.
func Open(list []Destination, log *slog.Logger) (*Destinations, error) {
	d := &Destinations{sinks: make(map[string]*Sink, len(list))}
	shared := make(map[any]Destination, len(list)) // by place
	for _, c := range list {
		if err := d.add(c, shared, log); err != nil {
			for _, s := range d.each {
				s.stop()
			}
			return nil, fmt.Errorf("access log destination %q: %w", c.ARN, err)
		}
	}
	return d, nil
}

func (d *Destinations) add(c Destination, shared map[any]Destination, log *slog.Logger) error {
	arn := group(c.ARN)
	if arn == "" {
		return errors.New("no ARN")
	}
	if d.sinks[arn] != nil {
		return errors.New("stands twice in the list")
	}
	if err := c.check(); err != nil {
		return err
	}
	place, err := c.place()
	if err != nil {
		return err
	}
	if place != nil {
		if other, ok := shared[place]; ok {
			if other.MaxSize != c.MaxSize || other.MaxFiles != c.MaxFiles || other.Buffer != c.Buffer {
				return fmt.Errorf("goes to the same place as %q with other limits", other.ARN)
			}
			d.sinks[arn] = d.sinks[group(other.ARN)]
			return nil
		}
		for _, other := range shared {
			if collide(&c, &other) || collide(&other, &c) {
				return fmt.Errorf("the file of %q gets the same name", other.ARN)
			}
		}
		shared[place] = c
	}
	s, err := c.open(log)
	if err != nil {
		return err
	}
	d.sinks[arn], d.each = s, append(d.each, s)
	return nil
}

// check reports what is wrong with c by itself.
func (c *Destination) check() error {
	places := 0
	for _, set := range []bool{c.File != "", c.Stream != "", c.Writer != nil} {
		if set {
			places++
		}
	}
	switch {
	case places != 1:
		return errors.New("want one of a file, a stream and a writer")
	case c.Stream != "" && c.Stream != "stdout" && c.Stream != "stderr":
		return fmt.Errorf("unknown stream %q, want stdout or stderr", c.Stream)
	case c.File == "" && (c.MaxSize != 0 || c.MaxFiles != 0):
		return errors.New("only files have a greatest size and number")
	case c.MaxSize < 0 || c.MaxFiles < 0 || c.Buffer < 0:
		return errors.New("negative limit")
	}
	return nil
}

// place returns what two destinations have in common if they are the same: the path of
// a file, without symbolic links in its directory, or the writer. It is nil for writers
// that cannot be compared.
func (c *Destination) place() (any, error) {
	if c.File == "" {
		w := c.writer()
		if !reflect.ValueOf(w).Comparable() {
			return nil, nil
		}
		return w, nil
	}
	return place(c.File)
}

func place(file string) (string, error) {
	path, err := filepath.Abs(file)
	if err != nil {
		return "", err
	}
	dir, name := filepath.Split(path)
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return "", fmt.Errorf("open access log %s: %w", file, err)
	}
	return filepath.Join(dir, name), nil
}

// collide reports whether rotation gives the file of a the name of the file of b.
func collide(a, b *Destination) bool {
	if a.File == "" || b.File == "" {
		return false
	}
	from, err1 := place(a.File)
	to, err2 := place(b.File)
	number, found := strings.CutPrefix(to, from+".")
	if err1 != nil || err2 != nil || !found {
		return false
	}
	n, err := strconv.Atoi(number)
	files := a.MaxFiles
	if files == 0 {
		files = defaultMaxFiles
	}
	return err == nil && 0 < n && n <= files
}

// writer returns the writer of c, if it is no file.
func (c *Destination) writer() io.Writer {
	switch c.Stream {
	case "stdout":
		return os.Stdout
	case "stderr":
		return os.Stderr
	default:
		return c.Writer
	}
}

func (c *Destination) open(log *slog.Logger) (*Sink, error) {
	if c.File != "" {
		return NewFile(FileConfig{Path: c.File, MaxSize: c.MaxSize, MaxFiles: c.MaxFiles, Buffer: c.Buffer, Log: log})
	}
	name := c.Stream
	if name == "" {
		name = c.ARN
	}
	return NewWriter(WriterConfig{Writer: c.writer(), Name: name, Buffer: c.Buffer, Log: log}), nil
}

// group returns an ARN without the ":*" that stands for the streams of a log group.
func group(arn string) string { return strings.TrimSuffix(arn, ":*") }

// Sink returns where the access logs of an ARN go; nil if nowhere.
func (d *Destinations) Sink(arn string) *Sink {
	if d == nil {
		return nil
	}
	if s := d.sinks[group(arn)]; s != nil {
		return s
	}
	return d.sinks[anyARN]
}

// Dropped returns how many lines did not reach their destination.
func (d *Destinations) Dropped() uint64 {
	var sum uint64
	if d != nil {
		for _, s := range d.each {
			sum += s.Dropped()
		}
	}
	return sum
}

// Reopen has all files opened anew; see Sink.Reopen.
func (d *Destinations) Reopen() {
	if d != nil {
		for _, s := range d.each {
			s.Reopen()
		}
	}
}

// Close writes what is buffered and closes all files. It waits for that, at most 5 s
// altogether.
func (d *Destinations) Close() error {
	if d == nil {
		return nil
	}
	for _, s := range d.each {
		s.stop()
	}
	over, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	var errs []error
	for _, s := range d.each {
		if err := s.wait(over.Done()); err != nil {
			errs = append(errs, fmt.Errorf("access log %s: %w", s.name, err))
		}
	}
	return errors.Join(errs...)
}
