package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/svc"
	"golang.org/x/sys/windows/svc/eventlog"
	"golang.org/x/sys/windows/svc/mgr"

	"haoke/backend"
)

const serviceName = "haoked"

// serviceCommands register and remove the Windows service.
func serviceCommands() []*cobra.Command {
	var data string
	root := &cobra.Command{Use: "service", Short: "Register or remove the Windows service"}
	install := &cobra.Command{
		Use: "install", Short: "Register the service for a data folder", Example: `  haoked service install --data C:\ProgramData\Haoke`, Args: noArgs,
		RunE: func(*cobra.Command, []string) error { return installService(data) },
	}
	install.Flags().StringVar(&data, "data", filepath.Join(os.Getenv("ProgramData"), "Haoke"), "data folder")
	remove := &cobra.Command{
		Use: "remove", Short: "Stop and remove the service; the data stays", Example: "  haoked service remove", Args: noArgs,
		RunE: func(*cobra.Command, []string) error { return removeService() },
	}
	root.AddCommand(install, remove)
	return []*cobra.Command{root}
}

// installService registers the program under an account that may do nothing
// but serve, started with the system and again after a crash.
func installService(data string) error {
	exe, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	m, err := mgr.Connect()
	if err != nil {
		return fmt.Errorf("open the service manager: %w; start this as administrator", err)
	}
	defer m.Disconnect()
	if old, err := m.OpenService(serviceName); err == nil {
		old.Close()
		return nil // an upgrade keeps what was registered
	}
	s, sid, err := register(m, exe, data)
	if err != nil {
		return fmt.Errorf("register the service: %w", err)
	}
	defer s.Close()
	again := mgr.RecoveryAction{Type: mgr.ServiceRestart, Delay: 5 * time.Second}
	if err := s.SetRecoveryActions([]mgr.RecoveryAction{again, again, {Type: mgr.ServiceRestart, Delay: time.Minute}}, 86400); err != nil {
		return fmt.Errorf("set what happens after a crash: %w", err)
	}
	// An end with an error counts as a failure too, not only a crash.
	if err := s.SetRecoveryActionsOnNonCrashFailures(true); err != nil && !errors.Is(err, windows.ERROR_INVALID_LEVEL) {
		return fmt.Errorf("set what happens after a failure: %w", err)
	}
	if err := eventlog.InstallAsEventCreate(serviceName, eventlog.Error|eventlog.Warning|eventlog.Info); err != nil {
		fmt.Fprintln(os.Stderr, "haoked: the event log's source was not registered:", err)
	}
	if err := closeFolder(data, sid); err != nil {
		return errors.Join(err, s.Delete())
	}
	return nil
}

// register makes the service and returns the identity that its process has
// beside the account. Where the system knows no identities of single services
// (Wine) that is the account itself.
func register(m *mgr.Mgr, exe, data string) (*mgr.Service, *windows.SID, error) {
	c := mgr.Config{
		DisplayName: "Haoke", Description: "AI customer service on your own machine", StartType: mgr.StartAutomatic,
		DelayedAutoStart: true, ServiceStartName: `NT AUTHORITY\LocalService`, SidType: windows.SERVICE_SID_TYPE_UNRESTRICTED,
	}
	args := []string{"serve", "--service", "--data", data}
	s, err := m.CreateService(serviceName, exe, c, args...)
	if err == nil {
		sid, err := windows.StringToSid(serviceSID(serviceName))
		if err != nil {
			return nil, nil, errors.Join(fmt.Errorf("name the service's identity: %w", err), s.Delete(), s.Close())
		}
		return s, sid, nil
	}
	if !errors.Is(err, windows.ERROR_INVALID_LEVEL) {
		return nil, nil, err
	}
	c.SidType, c.DelayedAutoStart = windows.SERVICE_SID_TYPE_NONE, false
	if s, err = m.CreateService(serviceName, exe, c, args...); err != nil {
		return nil, nil, err
	}
	sid, err := windows.CreateWellKnownSid(windows.WinLocalServiceSid)
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("name the service's account: %w", err), s.Delete(), s.Close())
	}
	return s, sid, nil
}

// closeFolder makes the data folder and leaves in it the system, its
// administrators, the service, and who installs, so that his window may join
// the service. Everybody else who has an account here is kept out: what
// C:\ProgramData hands down would let all of them read.
func closeFolder(data string, service *windows.SID) error {
	if err := os.MkdirAll(data, 0o700); err != nil {
		return fmt.Errorf("make the data folder: %w", err)
	}
	allowed := []*windows.SID{service}
	for _, known := range []windows.WELL_KNOWN_SID_TYPE{windows.WinLocalSystemSid, windows.WinBuiltinAdministratorsSid} {
		sid, err := windows.CreateWellKnownSid(known)
		if err != nil {
			return fmt.Errorf("name the system's accounts: %w", err)
		}
		allowed = append(allowed, sid)
	}
	me, err := windows.GetCurrentProcessToken().GetTokenUser()
	if err != nil {
		return fmt.Errorf("name this account: %w", err)
	}
	allowed = append(allowed, me.User.Sid)
	var entries []windows.EXPLICIT_ACCESS
	for _, sid := range allowed {
		entries = append(entries, windows.EXPLICIT_ACCESS{
			AccessPermissions: windows.GENERIC_ALL, AccessMode: windows.GRANT_ACCESS,
			Inheritance: windows.SUB_CONTAINERS_AND_OBJECTS_INHERIT,
			Trustee:     windows.TRUSTEE{TrusteeForm: windows.TRUSTEE_IS_SID, TrusteeValue: windows.TrusteeValueFromSID(sid)},
		})
	}
	acl, err := windows.ACLFromEntries(entries, nil)
	if err != nil {
		return fmt.Errorf("make the data folder's rights: %w", err)
	}
	const what = windows.DACL_SECURITY_INFORMATION | windows.PROTECTED_DACL_SECURITY_INFORMATION
	if err := windows.SetNamedSecurityInfo(data, windows.SE_FILE_OBJECT, what, nil, nil, acl, nil); err != nil {
		return fmt.Errorf("set the data folder's rights: %w", err)
	}
	return nil
}

func removeService() error {
	m, err := mgr.Connect()
	if err != nil {
		return fmt.Errorf("open the service manager: %w; start this as administrator", err)
	}
	defer m.Disconnect()
	s, err := m.OpenService(serviceName)
	if errors.Is(err, windows.ERROR_SERVICE_DOES_NOT_EXIST) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("open the service: %w", err)
	}
	defer s.Close()
	if _, err := s.Control(svc.Stop); err == nil {
		for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
			if st, err := s.Query(); err != nil || st.State == svc.Stopped {
				break
			}
		}
	}
	if err := s.Delete(); err != nil {
		return fmt.Errorf("remove the service: %w", err)
	}
	_ = eventlog.Remove(serviceName) // may never have been registered
	return nil
}

// run runs serve; for the service manager it takes the manager's orders, logs
// to a file of the data folder and to the event log, and says there why it ended.
func (m manager) run(ctx context.Context, serve func(context.Context, io.Writer) error) error {
	if !m.asked {
		return serve(ctx, m.log)
	}
	events, err := eventlog.Open(serviceName)
	if err != nil {
		return fmt.Errorf("open the event log: %w", err)
	}
	defer events.Close()
	h := &handler{ctx: ctx, events: events, data: m.data, serve: serve}
	if err := svc.Run(serviceName, h); err != nil {
		return fmt.Errorf("take the service manager's orders (leave --service out to start it by hand): %w", err)
	}
	return h.err
}

type handler struct {
	ctx    context.Context // the process's, which the manager's calls do not carry
	events *eventlog.Log
	data   string
	serve  func(context.Context, io.Writer) error
	err    error
}

// Numbers of the entries in the event log.
const (
	eventState = 1 // started, stopped, failed
	eventLine  = 2 // a line of the log
)

// logged runs serve with the log of a service.
func (h *handler) logged(ctx context.Context) error {
	file, err := backend.OpenLog(h.data)
	if err != nil {
		return err
	}
	log := newServiceLog(file, func(level, text string) error {
		if level == "ERROR" {
			return h.events.Error(eventLine, text)
		}
		return h.events.Warning(eventLine, text)
	}, time.Now)
	defer log.Close()
	return h.serve(ctx, log)
}

// Execute implements svc.Handler. What goes into the event log here may be
// lost: there is no other place to say so.
func (h *handler) Execute(_ []string, orders <-chan svc.ChangeRequest, status chan<- svc.Status) (bool, uint32) {
	const accepts = svc.AcceptStop | svc.AcceptShutdown
	ctx, cancel := context.WithCancel(h.ctx)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- h.logged(ctx) }()
	status <- svc.Status{State: svc.Running, Accepts: accepts}
	_ = h.events.Info(eventState, "Haoke "+backend.Version+" started, data in "+h.data)
	for {
		select {
		case h.err = <-ended:
			if h.err != nil {
				_ = h.events.Error(eventState, "Haoke ended: "+h.err.Error())
				return true, 1 // the recovery actions of the service follow
			}
			_ = h.events.Info(eventState, "Haoke stopped")
			return false, 0
		case o := <-orders:
			switch o.Cmd {
			case svc.Interrogate:
				status <- o.CurrentStatus
			case svc.Stop, svc.Shutdown:
				status <- svc.Status{State: svc.StopPending, WaitHint: 30_000}
				cancel()
			}
		}
	}
}
