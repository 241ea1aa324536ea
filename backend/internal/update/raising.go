package update

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"
)

// This is the side of a plan that has the person's own rights: it asks a Raised
// to install and to put back, and learns from it only by its state.

// layNotice puts the notice as the makers signed it where a Raised proves it.
func (j *job) layNotice(dir string) error {
	err := writeFile(filepath.Join(dir, noticeFile), j.notice.notice)
	if err == nil {
		err = writeFile(filepath.Join(dir, noticeFile+".sig"), j.notice.signature)
	}
	if err != nil {
		return fmt.Errorf("keep the update's notice: %w", err)
	}
	return nil
}

// answer tells the Raised of this id what became of the new version.
func answer(dir, id, word string) error {
	if err := writeShared(filepath.Join(dir, answerFile), []byte(id+" "+word)); err != nil {
		return fmt.Errorf("say how the update went: %w", err)
	}
	return nil
}

// saysServes lets a Raised end.
func (p *Plan) saysServes() error {
	if !p.Machine {
		return nil
	}
	return answer(p.work(), p.ID, answerServes)
}

// awaitInstalled waits until the installer is through.
func (p *Plan) awaitInstalled(ctx context.Context) error {
	s, err := p.awaitRaised(ctx, time.Minute, raisedBegun, raisedInstalled)
	if err == nil && s.At == raisedBegun {
		s, err = p.awaitRaised(ctx, waitProgram+setupTime+time.Minute, raisedInstalled)
	}
	if err != nil {
		return err
	}
	if s.At != raisedInstalled {
		return errors.New(s.Fault)
	}
	return nil
}

// undoRaised lets a Raised put the programs from before back: the one that
// installed them and still waits for the answer, or after a cut one that the
// person is asked for again.
func (p *Plan) undoRaised(ctx context.Context, fault error) error {
	cut := errors.Is(fault, errCut)
	var s raisedState
	var err error
	_, _ = wait(ctx, sharedTime, func() (bool, error) {
		s, err = loadRaised(filepath.Dir(p.Exe))
		return err == nil, nil
	})
	if err == nil {
		err = errors.Join(endPrograms(p.Programs), answer(p.work(), p.ID, answerBack))
	}
	switch {
	case err != nil:
	case s.open() && (cut || s.ID == p.ID):
		s, err = p.awaitBack(ctx, cut)
	case s.ID != p.ID: // it did not begin, and does not with this answer
		return p.undone(fault, nil)
	}
	if err == nil && s.At != raisedBack {
		err = errors.New(s.Fault)
	}
	return p.undone(fault, err)
}

func (p *Plan) awaitBack(ctx context.Context, cut bool) (raisedState, error) {
	most := waitProgram + time.Minute
	if !cut {
		return p.awaitRaised(ctx, most, raisedBack)
	}
	// Only the person's side may have been cut off.
	if s, err := p.awaitRaised(ctx, p.settle(), raisedBack); err == nil {
		return s, nil
	}
	p.ID = rand.Text()
	if err := p.raise(orderBack, p.work(), p.ID); err != nil {
		return raisedState{}, fmt.Errorf("start the update with an administrator's rights: %w", err)
	}
	return p.awaitRaised(ctx, most, raisedBack)
}

func (p *Plan) work() string { return filepath.Dir(p.path) }

// awaitRaised waits until a Raised says one of these, or that it gave up.
func (p *Plan) awaitRaised(ctx context.Context, most time.Duration, at ...string) (raisedState, error) {
	var s raisedState
	var fault error
	ok, err := wait(ctx, most, func() (bool, error) {
		var err error
		s, err = loadRaised(filepath.Dir(p.Exe))
		if err != nil { // Windows, while the file is being replaced
			fault = err
			return false, nil
		}
		return s.ID == p.ID && (slices.Contains(at, s.At) || s.At == raisedFailed || s.At == raisedBack), nil
	})
	if err == nil && !ok {
		err = errors.Join(fmt.Errorf("the installer was not heard of within %v", most), fault)
	}
	return s, err
}
