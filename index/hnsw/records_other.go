//go:build !unix

package hnsw

import "errors"

const canMap = false

func (a *arena) onDisk(string) error       { return errors.ErrUnsupported }
func (a *arena) extend(int) error          { return errors.ErrUnsupported }
func (a *arena) moveTo(string, int64, int) {}
func (a *arena) announce(int, int)         {}
func (a *arena) inOrder() (done func())    { return func() {} }
