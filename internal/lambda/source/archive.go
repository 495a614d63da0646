package source

import (
	"archive/zip"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"math"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"
)

// Limits bound what an archive may hold. A limit of zero stands for its default.
type Limits struct {
	// Entries is how many files, directories and links there may be; 100,000.
	Entries int
	// Bytes is how long all files may be together, unpacked; 262,144,000. Source: Lambda
	// quotas, 250 MB.
	Bytes int64
	// Ratio is how many bytes may come from one byte of the archive, over all of it; 200.
	// It is not looked at while the contents are less than 16 MiB.
	Ratio int64
	// Path is how long a name may be, and the target of a link; 1,024 bytes. The parts
	// between slashes may have 255.
	Path int
}

const (
	maxNamePart = 255      // bytes; what file systems allow
	ratioFrom   = 16 << 20 // bytes
)

func (l Limits) withDefaults() Limits {
	l.Entries = cmp.Or(l.Entries, 100_000)
	l.Bytes = cmp.Or(l.Bytes, 262_144_000)
	l.Ratio = cmp.Or(l.Ratio, 200)
	l.Path = cmp.Or(l.Path, 1024)
	return l
}

// An ArchiveError says why an archive is refused.
type ArchiveError struct {
	Entry  string // the name of the entry; empty for the archive as a whole
	Reason string
}

func (e *ArchiveError) Error() string {
	if e.Entry == "" {
		return "the archive " + e.Reason
	}
	return fmt.Sprintf("entry %q of the archive %s", e.Entry, e.Reason)
}

// Check reports why Extract would refuse an archive. It reads all of it and writes
// nothing. The error is an *ArchiveError.
func Check(r io.ReaderAt, size int64, l Limits) error {
	a, err := open(r, size, l)
	if err != nil {
		return err
	}
	for i := range a.entries {
		if e := &a.entries[i]; e.kind == file {
			if err := a.copy(io.Discard, e); err != nil {
				return err
			}
		}
	}
	return nil
}

// Extract unpacks an archive into a directory that must not exist yet; its parent must.
// The directory appears at once and complete: on an error nothing of it stays. Files get
// the mode 0755 if anybody may execute them, and 0644 if not; an archive that has no
// modes has an executable bootstrap. Links are kept if they stay inside. Everything
// else is refused: devices, names that lead outside, names that stand twice, contents
// that are not what the archive says. What is wrong with the archive is an
// *ArchiveError; other errors are those of the file system.
func Extract(r io.ReaderAt, size int64, dir string, l Limits) (err error) {
	a, err := open(r, size, l)
	if err != nil {
		return err
	}
	if _, err := os.Lstat(dir); !errors.Is(err, fs.ErrNotExist) {
		if err == nil {
			err = &fs.PathError{Op: "extract", Path: dir, Err: fs.ErrExist}
		}
		return err
	}
	part, err := os.MkdirTemp(filepath.Dir(dir), "."+filepath.Base(dir)+".part-")
	if err != nil {
		return err
	}
	defer func() {
		if err == nil {
			return
		}
		if left := os.RemoveAll(part); left != nil {
			err = errors.Join(err, left)
		}
	}()
	if err := a.write(part); err != nil {
		return err
	}
	return os.Rename(part, dir)
}

// A kind is what an entry is.
type kind uint8

const (
	directory kind = iota + 1
	file
	link
)

// An entry is one that may be extracted.
type entry struct {
	*zip.File
	name       string // clean: a/b, without a slash at either end
	kind       kind
	executable bool
	target     string // of a link, as written
}

// An archive is one that was judged by all that can be seen without unpacking its files.
type archive struct {
	entries []entry
	kinds   map[string]kind // by name; those of directories that only stand in names too
	links   map[string]string
	limits  Limits
	copied  int64  // bytes, by copy
	buffer  []byte // of copy
}

func open(r io.ReaderAt, size int64, l Limits) (*archive, error) {
	a := &archive{kinds: map[string]kind{}, links: map[string]string{}, limits: l.withDefaults(), buffer: make([]byte, 64<<10)}
	l = a.limits
	counter := &entryCounter{ReaderAt: r, limit: 2*l.Entries + 4096}
	z, err := zip.NewReader(counter, size)
	switch {
	case counter.found > counter.limit || err == nil && len(z.File) > l.Entries:
		return nil, &ArchiveError{Reason: fmt.Sprintf("has more than %d entries", l.Entries)}
	case err != nil && !errors.Is(err, zip.ErrInsecurePath): // names are judged below
		return nil, &ArchiveError{Reason: "is not a zip archive or is damaged: " + plain(err)}
	}
	counter.limit = math.MaxInt
	if err := a.sizes(z, size); err != nil {
		return nil, err
	}
	a.entries = make([]entry, 0, len(z.File))
	for _, f := range z.File {
		e, reason := a.entry(f)
		if reason == "" && e.name != "." {
			reason = a.place(&e)
		}
		if reason != "" {
			return nil, &ArchiveError{f.Name, reason}
		}
		if e.name != "." {
			a.entries = append(a.entries, e)
		}
	}
	return a, a.checkLinks()
}

// An entryCounter fails when more headers of entries were read from the directory of an
// archive than it may have. What the archive itself says is not to be relied on, and the
// headers take several times the memory that they take in the archive. Some of them may
// be counted twice or be missed at the edge of a read; the limit has room for that.
type entryCounter struct {
	io.ReaderAt
	limit, found int
}

func (c *entryCounter) ReadAt(p []byte, off int64) (int, error) {
	n, err := c.ReaderAt.ReadAt(p, off)
	if c.limit < math.MaxInt {
		if c.found += bytes.Count(p[:n], []byte("PK\x01\x02")); c.found > c.limit {
			return 0, errors.New("too many entries")
		}
	}
	return n, err
}

// sizes judges the archive by what it says of the lengths of its entries. No byte of it
// may belong to two entries: that is how a small archive becomes a large one.
func (a *archive) sizes(z *zip.Reader, size int64) error {
	type part struct {
		start, end int64
		name       string
	}
	parts := make([]part, 0, len(z.File))
	var total int64
	for _, f := range z.File {
		if f.UncompressedSize64 > uint64(a.limits.Bytes-total) {
			return &ArchiveError{Reason: fmt.Sprintf("has more than %d bytes when unpacked", a.limits.Bytes)}
		}
		total += int64(f.UncompressedSize64)
		start, err := f.DataOffset()
		if err != nil {
			return &ArchiveError{f.Name, "cannot be read: " + plain(err)}
		}
		if start < 0 || start > size || f.CompressedSize64 > uint64(size-start) {
			return &ArchiveError{f.Name, "is cut short"}
		}
		if f.CompressedSize64 > 0 {
			parts = append(parts, part{start, start + int64(f.CompressedSize64), f.Name})
		}
	}
	if total > ratioFrom && total/a.limits.Ratio > size {
		return &ArchiveError{Reason: fmt.Sprintf("unpacks to more than %d times its length", a.limits.Ratio)}
	}
	slices.SortFunc(parts, func(p, q part) int { return cmp.Compare(p.start, q.start) })
	for i := 1; i < len(parts); i++ {
		if parts[i].start < parts[i-1].end {
			return &ArchiveError{parts[i].name, fmt.Sprintf("overlaps with %q", parts[i-1].name)}
		}
	}
	return nil
}

// Where archives were made; only these have modes. Source: the ZIP file format
// specification, "version made by".
const (
	madeOnUnix  = 3
	madeOnMacOS = 19
)

// entry returns what f is, or the reason why it is refused. The name of the directory
// that is extracted itself is ".".
func (a *archive) entry(f *zip.File) (e entry, reason string) {
	e = entry{File: f}
	if e.name, reason = cleanName(f.Name, a.limits.Path); reason != "" {
		return e, reason
	}
	var mode fs.FileMode
	modes := f.ExternalAttrs>>16 != 0 && (f.CreatorVersion>>8 == madeOnUnix || f.CreatorVersion>>8 == madeOnMacOS)
	if modes {
		mode = f.Mode()
	}
	slash := strings.HasSuffix(f.Name, "/")
	switch mode.Type() {
	case 0:
		e.kind = file
		if slash {
			e.kind = directory
		}
	case fs.ModeDir:
		e.kind = directory
	case fs.ModeSymlink:
		e.kind = link
	default:
		return e, "is neither a file nor a directory nor a link"
	}
	switch {
	case slash && e.kind != directory:
		return e, "has the name of a directory and is none"
	case e.kind == directory && f.UncompressedSize64 > 0:
		return e, "is a directory and has contents"
	case e.name == "." && e.kind != directory:
		return e, "is no directory and has no name"
	case f.Flags&1 != 0:
		return e, "is encrypted"
	case f.Method != zip.Store && f.Method != zip.Deflate:
		return e, fmt.Sprintf("is compressed by method %d, which is not supported", f.Method)
	}
	e.executable = mode&0o111 != 0 || !modes && e.name == "bootstrap"
	return e, ""
}

// cleanName returns the name of an entry without "./" at its start and "/" at its end,
// or the reason why it is refused.
func cleanName(name string, limit int) (clean, reason string) {
	switch {
	case name == "":
		return "", "has no name"
	case len(name) > limit:
		return "", fmt.Sprintf("has a name of more than %d bytes", limit)
	case strings.ContainsAny(name, "\x00\\"):
		return "", "has a NUL or a backslash in its name"
	case !utf8.ValidString(name):
		return "", "has a name that is not UTF-8"
	case strings.HasPrefix(name, "/"):
		return "", "has an absolute name"
	}
	clean = strings.TrimSuffix(name, "/")
	if clean != "." {
		clean = strings.TrimPrefix(clean, "./")
	}
	if !fs.ValidPath(clean) || clean == "." && name != "./" || !filepath.IsLocal(filepath.FromSlash(clean)) {
		return "", `has "..", "." or nothing between slashes in its name`
	}
	for part := range strings.SplitSeq(clean, "/") {
		if len(part) > maxNamePart {
			return "", fmt.Sprintf("has a name with a part of more than %d bytes", maxNamePart)
		}
	}
	return clean, ""
}

// place enters an entry into the tree, or returns the reason why there is no room for
// it. A directory may stand there twice. Directories that stand only in names count as
// entries, of which there may be twice the limit.
func (a *archive) place(e *entry) (reason string) {
	switch at := a.kinds[e.name]; {
	case at == 0:
	case at == directory && e.kind == directory:
		return ""
	case at != e.kind:
		return "is two things at one time"
	default:
		return "stands there twice"
	}
	a.kinds[e.name] = e.kind
	for dir := path.Dir(e.name); dir != "."; dir = path.Dir(dir) {
		switch a.kinds[dir] {
		case 0:
			a.kinds[dir] = directory
		case directory:
			dir = "." // so are those above
		default:
			return fmt.Sprintf("is inside of %q, which is no directory", dir)
		}
	}
	if len(a.kinds) > 2*a.limits.Entries {
		return fmt.Sprintf("is one of more than %d entries, counted with their directories", 2*a.limits.Entries)
	}
	if e.kind != link {
		return ""
	}
	var target bytes.Buffer
	if e.UncompressedSize64 > uint64(a.limits.Path) {
		return fmt.Sprintf("is a link with a target of more than %d bytes", a.limits.Path)
	}
	if err := a.copy(&target, e); err != nil {
		var bad *ArchiveError
		errors.As(err, &bad) // a buffer can be written to
		return bad.Reason
	}
	e.target = target.String()
	a.links[e.name] = e.target
	return ""
}

// copy unpacks an entry. It gives out exactly as many bytes as the archive says, and
// checks them. Errors of w are as they are; all others are *ArchiveErrors.
func (a *archive) copy(w io.Writer, e *entry) error {
	bad := func(reason string) error { return &ArchiveError{e.Name, reason} }
	r, err := e.Open()
	if err != nil {
		return bad("cannot be read: " + plain(err))
	}
	defer r.Close()
	var sum uint32
	left := int64(e.UncompressedSize64)
	for {
		n, err := r.Read(a.buffer)
		if left -= int64(n); left < 0 {
			return bad("is longer than the archive says")
		}
		if a.copied += int64(n); a.copied > a.limits.Bytes {
			return &ArchiveError{Reason: fmt.Sprintf("has more than %d bytes when unpacked", a.limits.Bytes)}
		}
		sum = crc32.Update(sum, crc32.IEEETable, a.buffer[:n])
		if _, err := w.Write(a.buffer[:n]); err != nil {
			return err
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return bad("is damaged: " + plain(err))
		}
	}
	switch {
	case left > 0:
		return bad("is shorter than the archive says")
	case sum != e.CRC32:
		return bad("is damaged: its checksum is another one")
	}
	return nil
}

// write extracts into an empty directory. Links come last: nothing is written through
// them.
func (a *archive) write(dir string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	if err := root.Chmod(".", 0o755); err != nil {
		return err
	}
	made := map[string]bool{".": true}
	for i := range a.entries {
		e := &a.entries[i]
		parent := e.name
		if e.kind != directory {
			parent = path.Dir(e.name)
		}
		if err := makeDirectories(root, parent, made); err != nil {
			return err
		}
		if e.kind == file {
			if err := a.writeFile(root, e); err != nil {
				return err
			}
		}
	}
	for i := range a.entries {
		if e := &a.entries[i]; e.kind == link {
			if err := root.Symlink(e.target, e.name); err != nil {
				return err
			}
		}
	}
	return nil
}

// makeDirectories makes a directory and those above it. Modes are not left to the umask,
// because functions may run as another user.
func makeDirectories(root *os.Root, dir string, made map[string]bool) error {
	if made[dir] {
		return nil
	}
	if err := makeDirectories(root, path.Dir(dir), made); err != nil {
		return err
	}
	made[dir] = true
	if err := root.Mkdir(dir, 0o755); err != nil {
		return err
	}
	return root.Chmod(dir, 0o755)
}

func (a *archive) writeFile(root *os.Root, e *entry) error {
	mode := fs.FileMode(0o644)
	if e.executable {
		mode = 0o755
	}
	f, err := root.OpenFile(e.name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	if err = a.copy(f, e); err == nil {
		err = f.Chmod(mode)
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	return err
}

// plain returns the text of an error of archive/zip without what is said already.
func plain(err error) string {
	switch {
	case errors.Is(err, zip.ErrFormat):
		return "it is not as the format asks"
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return "it is cut short"
	case errors.Is(err, zip.ErrChecksum):
		return "its checksum is another one"
	}
	return strings.TrimPrefix(err.Error(), "zip: ")
}
