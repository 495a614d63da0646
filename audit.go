package penstock

import (
	"fmt"
	"io"
	"os"
)

// Where the audit log can go besides a file.
const (
	auditStderr = "stderr"
	auditStdout = "stdout"
	auditNone   = "none"
)

// An auditLog is where the audit log goes. Its writer is nil if nowhere.
type auditLog struct {
	io.Writer
	file *os.File // to be closed; nil if there is none
}

func openAuditLog(to string) (*auditLog, error) {
	switch to {
	case auditStderr:
		return &auditLog{Writer: os.Stderr}, nil
	case auditStdout:
		return &auditLog{Writer: os.Stdout}, nil
	case auditNone:
		return &auditLog{}, nil
	}
	f, err := os.OpenFile(to, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("auditLog: %w: want stderr, stdout, none, or a file that can be written to", err)
	}
	return &auditLog{f, f}, nil
}

func (a *auditLog) close() error {
	if a == nil || a.file == nil {
		return nil
	}
	return a.file.Close()
}
