package certificate

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// A Pair is a certificate with its chain, and its private key: in two files, or as
// PEM.
type Pair struct {
	// ARN is what domain names call the certificate. Without one, it is found by the
	// names in it only.
	ARN                             string
	CertificateFile, PrivateKeyFile string
	Certificate, PrivateKey         string
}

func (p *Pair) label() string { return cmp.Or(p.ARN, p.CertificateFile, "given as PEM") }

// A pair is a Pair as it was read.
type pair struct {
	Pair
	certificate, key watched
	current          *tls.Certificate // the newest that could be used
	sum              [sha256.Size]byte
	problem          string // of the newest
}

func newPair(p Pair) *pair {
	return &pair{Pair: p, certificate: watched{path: p.CertificateFile}, key: watched{path: p.PrivateKeyFile}}
}

// look reads the files if they have changed. fresh says that there is something new:
// a certificate, or with an error a reason why it cannot be used.
func (p *pair) look() (fresh bool, err error) {
	certificate, key := []byte(p.Certificate), []byte(p.PrivateKey)
	if p.CertificateFile != "" {
		if p.current != nil && !p.certificate.changed() && !p.key.changed() {
			return false, nil
		}
		if certificate, err = p.certificate.read(); err == nil {
			key, err = p.key.read()
		}
	} else if p.current != nil {
		return false, nil
	}
	var next tls.Certificate
	if err == nil {
		sum := sha256.Sum256(fmt.Appendf(nil, "%d %s%s", len(certificate), certificate, key))
		if p.current != nil && sum == p.sum {
			p.problem = ""
			return false, nil
		}
		if next, err = tls.X509KeyPair(certificate, key); err == nil {
			p.current, p.sum, p.problem = &next, sum, ""
			return true, nil
		}
	}
	fresh = err.Error() != p.problem
	p.problem = err.Error()
	return fresh, err
}

// maxFile is how large a file may be, in bytes. It is also the limit of the service
// for trust stores.
const maxFile = 1 << 20

// settled is how long after its last change a file counts as read: within less, one of
// two changes may not show in its time.
const settled = 2 * time.Second

// A watched file is read again when it has changed.
type watched struct {
	path string
	info os.FileInfo // when it was read last
	at   time.Time
}

// changed reports whether the file may be another than it was when it was read.
func (w *watched) changed() bool {
	info, err := os.Stat(w.path)
	return err != nil || w.info == nil || !os.SameFile(info, w.info) || info.Size() != w.info.Size() ||
		!info.ModTime().Equal(w.info.ModTime()) || w.at.Sub(info.ModTime()) < settled
}

var (
	errNoFile = errors.New("there is no such file")
	errLarge  = fmt.Errorf("it has more than %d bytes", maxFile)
)

func (w *watched) read() ([]byte, error) {
	w.info = nil
	at := time.Now()
	info, err := os.Stat(w.path)
	if err != nil || !info.Mode().IsRegular() {
		return nil, errNoFile // a pipe would not let go of who opens it
	}
	f, err := os.Open(w.path)
	if err != nil {
		return nil, errors.New("the file cannot be opened")
	}
	defer f.Close()
	if info, err = f.Stat(); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if n, err := io.Copy(&b, io.LimitReader(f, maxFile+1)); err != nil {
		return nil, err
	} else if n > maxFile {
		return nil, errLarge
	}
	w.info, w.at = info, at
	return b.Bytes(), nil
}
