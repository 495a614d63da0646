package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"penstock"
	"penstock/internal/function"
	"penstock/internal/store"
	"penstock/internal/store/ledger"
)

type backupCommand struct {
	settings
	File  string `arg:"" help:"File to write; - is standard output."`
	Admin string `help:"Take the backup from the running server with this control plane." placeholder:"URL" xor:"data"`
	Force bool   `help:"Replace the file if it exists."`
}

func (backupCommand) Help() string {
	return `A backup holds everything that was stored at one moment, with checksums. It is read back and verified before the file gets its name.

Without --admin, the data directory must not be in use. With it, the running server is asked; if it has credentials, the call is signed with the first one of --config or with AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN.

Examples:

    penstock backup penstock.backup --data /var/lib/penstock
    penstock backup penstock.backup --admin http://127.0.0.1:8081
    penstock backup - --admin http://127.0.0.1:8081 | gzip > penstock.backup.gz`
}

func (c *backupCommand) Run(p *program) error {
	config, err := c.load(p.environ)
	if err != nil {
		return err
	}
	write := func(w io.Writer) error { return backupData(w, config.Data) }
	if c.Admin != "" {
		credential := p.credential(config)
		ctx, stop := interruptible()
		defer stop()
		write = func(w io.Writer) error { return penstock.DownloadBackup(ctx, w, c.Admin, credential) }
	}
	if c.File == "-" {
		return write(p.stdout)
	}
	b, err := writeBackup(c.File, c.Force, write)
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	fmt.Fprintf(p.stdout, "%s: revision %d, %d documents\n", c.File, b.Rev(), len(b.Entries()))
	return nil
}

// backupData writes what is in a data directory that no server uses.
func backupData(w io.Writer, data string) error {
	file := filepath.Join(data, penstock.DataFile)
	if _, err := os.Stat(file); err != nil {
		return fmt.Errorf("%w: --data names the data directory", err)
	}
	l, err := ledger.Open(file, ledger.Options{})
	if damage := (*store.DamageError)(nil); err != nil && !errors.As(err, &damage) {
		return fmt.Errorf("%w; if a server uses it, --admin takes the backup from that", err)
	}
	if err != nil {
		return err
	}
	with, err := function.WithCode(l, penstock.CodeDir(filepath.Dir(file)))
	if err == nil {
		err = store.WriteBackup(w, with)
	}
	return errors.Join(err, l.Close())
}

// writeBackup makes a file of a backup. It appears whole and verified, or not at
// all.
func writeBackup(name string, force bool, write func(io.Writer) error) (b store.Backup, err error) {
	if _, err := os.Lstat(name); err == nil && !force {
		return b, fmt.Errorf("%s exists: choose another name, or --force to replace it", name)
	}
	err = writeWhole(name, 0o600, func(f *os.File) error {
		if err := write(f); err != nil {
			return err
		}
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return err
		}
		b, err = store.ReadBackup(f)
		return err
	})
	return b, err
}

type restoreCommand struct {
	settings
	File  string `arg:"" help:"Backup to read; - is standard input."`
	Force bool   `help:"Replace what the data directory has."`
}

func (restoreCommand) Help() string {
	return `The whole backup is verified before anything is written. The data directory must not be in use.

Examples:

    penstock restore penstock.backup --data /var/lib/penstock
    penstock restore penstock.backup --data /var/lib/penstock --force`
}

func (c *restoreCommand) Run(p *program) error {
	config, err := c.load(p.environ)
	if err != nil {
		return err
	}
	in := os.Stdin
	if c.File != "-" {
		if in, err = os.Open(c.File); err != nil {
			return fmt.Errorf("restore: %w", err)
		}
		defer in.Close()
	}
	b, err := store.ReadBackup(in)
	if err != nil {
		return fmt.Errorf("restore %s: %w", c.File, err)
	}
	if err := os.MkdirAll(config.Data, 0o700); err != nil {
		return fmt.Errorf("restore: cannot use %s as data directory: %w", config.Data, err)
	}
	file := filepath.Join(config.Data, penstock.DataFile)
	err = ledger.Restore(file, b, c.Force)
	if errors.Is(err, os.ErrExist) {
		return fmt.Errorf("restore: %s exists: choose another --data, or --force to replace it", file)
	}
	if err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	fmt.Fprintf(p.stdout, "%s: revision %d, %d documents\n", file, b.Rev(), len(b.Entries()))
	return nil
}
