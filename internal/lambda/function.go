// Package lambda runs Lambda functions beside the gateway: as processes of their own
// that speak the Lambda Runtime API.
//
// A Host runs any number of functions. Each function has as many environments, which
// are processes, as it has invocations at one time, up to a limit; they stay for the
// next invocation until they have been idle for long. An environment has one invocation
// at a time.
package lambda

import (
	"errors"
	"time"
)

// A Spec says what a version of a function is.
type Spec struct {
	// Name and Version name it; the version is $LATEST or a number. ARN is that of the
	// function, without a qualifier.
	Name, Version, ARN string
	// Runtime is such as nodejs22.x, python3.13 or provided.al2023.
	Runtime string
	// Handler is what the runtime calls, such as index.handler.
	Handler string
	// Source is where its code is.
	Source Source
	// Environment are the variables that the function is configured with.
	Environment map[string]string
	// Timeout is how long an invocation may take, from when the function has the event.
	Timeout time.Duration
	// Memory is how much an environment may use, in MiB: resident memory of all processes
	// of its group, that of an interpreter included, which is some 40 MiB for Node.js and
	// 10 MiB for Python. It is looked at on Linux only: every 50 ms from when an
	// invocation has taken that long, four times a second before, and every two seconds
	// while nothing is busy. 0 for no limit.
	Memory int
	// Concurrency is how many invocations it may have at one time; -1 for as many as
	// the host has room for.
	Concurrency int
	// LogGroup is the name of its log group; empty for /aws/lambda/{Name}. LogFormat is
	// Text or JSON; empty for Text.
	LogGroup, LogFormat string
}

// A Source says where the code of a function is at this moment. It may be used by many
// goroutines.
type Source interface {
	// Code returns the directory that the code is in, and its revision: another one
	// after each change. It is asked for each invocation and takes no more than a
	// system call or two while nothing changes. What it has returned stays in place
	// for as long as environments may run it.
	Code() (dir string, revision uint64, err error)
}

// A Call is one invocation.
type Call struct {
	// RequestID is a UUID that names the invocation.
	RequestID string
	// Payload is the event, JSON. No reference to it is kept.
	Payload []byte
	// InvokedARN is the ARN that was called, with the qualifier if there was one.
	InvokedARN string
	// TraceID is such as Root=1-67fd88cb-4981526a50466e9f2be0fbed; empty for none.
	TraceID string
	// ClientContext is JSON text that the caller adds; empty for none.
	ClientContext string
	// Tail asks for the end of the log of the invocation.
	Tail bool
}

// A Result is how an invocation ended.
type Result struct {
	// Payload is what the function answered, or the description of the error: an object
	// with errorType and errorMessage. It is the caller's.
	Payload []byte
	// FunctionError is "Unhandled" if the function failed, and empty if it did not.
	FunctionError string
	// ContentType is that of a streamed answer; empty for JSON.
	ContentType string
	// Log is the end of the log, at most 4 KiB, if it was asked for.
	Log []byte
}

// Errors of Invoke. Everything that goes wrong inside of a function is a Result.
var (
	// ErrThrottled says that the function has as many invocations as it may have.
	ErrThrottled = errors.New("lambda: too many invocations at one time")
	// ErrBusy says that the host has as many environments as it may have.
	ErrBusy = errors.New("lambda: too many environments at one time")
	// ErrClosed says that the function or its host was closed.
	ErrClosed = errors.New("lambda: closed")
)
