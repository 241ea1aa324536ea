package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/svc"
	"golang.org/x/sys/windows/svc/eventlog"
	"golang.org/x/sys/windows/svc/mgr"
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
	s, err := m.CreateService(serviceName, exe, mgr.Config{
		DisplayName: "Haoke", Description: "AI customer service on your own machine", StartType: mgr.StartAutomatic,
		DelayedAutoStart: true, ServiceStartName: `NT AUTHORITY\LocalService`, SidType: windows.SERVICE_SID_TYPE_UNRESTRICTED,
	}, "serve", "--data", data)
	if err != nil {
		return fmt.Errorf("register the service: %w", err)
	}
	defer s.Close()
	again := mgr.RecoveryAction{Type: mgr.ServiceRestart, Delay: 5 * time.Second}
	if err := s.SetRecoveryActions([]mgr.RecoveryAction{again, again, {Type: mgr.ServiceRestart, Delay: time.Minute}}, 86400); err != nil {
		return fmt.Errorf("set what happens after a crash: %w", err)
	}
	if err := eventlog.InstallAsEventCreate(serviceName, eventlog.Error|eventlog.Warning|eventlog.Info); err != nil {
		fmt.Fprintln(os.Stderr, "haoked: the event log's source was not registered:", err)
	}
	return grantService(data)
}

// grantService gives the service's own identity, and nobody else new, the
// right to change the data folder.
func grantService(data string) error {
	if err := os.MkdirAll(data, 0o700); err != nil {
		return fmt.Errorf("make the data folder: %w", err)
	}
	sd, err := windows.GetNamedSecurityInfo(data, windows.SE_FILE_OBJECT, windows.DACL_SECURITY_INFORMATION)
	if err != nil {
		return fmt.Errorf("read the data folder's rights: %w", err)
	}
	old, _, err := sd.DACL()
	if err != nil {
		return fmt.Errorf("read the data folder's rights: %w", err)
	}
	sid, _, _, err := windows.LookupSID("", `NT SERVICE\`+serviceName)
	if err != nil {
		return fmt.Errorf("find the service's account: %w", err)
	}
	acl, err := windows.ACLFromEntries([]windows.EXPLICIT_ACCESS{{
		AccessPermissions: windows.GENERIC_ALL, AccessMode: windows.GRANT_ACCESS,
		Inheritance: windows.SUB_CONTAINERS_AND_OBJECTS_INHERIT,
		Trustee:     windows.TRUSTEE{TrusteeForm: windows.TRUSTEE_IS_SID, TrusteeValue: windows.TrusteeValueFromSID(sid)},
	}}, old)
	if err != nil {
		return fmt.Errorf("extend the data folder's rights: %w", err)
	}
	if err := windows.SetNamedSecurityInfo(data, windows.SE_FILE_OBJECT, windows.DACL_SECURITY_INFORMATION, nil, nil, acl, nil); err != nil {
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

// underManager runs serve; started by the service manager it takes the
// manager's orders and says in the event log why it ended.
func underManager(ctx context.Context, serve func(context.Context) error) error {
	if is, err := svc.IsWindowsService(); err != nil || !is {
		return serve(ctx)
	}
	h := &handler{ctx: ctx, serve: serve}
	if err := svc.Run(serviceName, h); err != nil {
		return fmt.Errorf("run as a service: %w", err)
	}
	return h.err
}

type handler struct {
	ctx   context.Context // the process's, which the manager's calls do not carry
	serve func(context.Context) error
	err   error
}

// Execute implements svc.Handler.
func (h *handler) Execute(_ []string, orders <-chan svc.ChangeRequest, status chan<- svc.Status) (bool, uint32) {
	const accepts = svc.AcceptStop | svc.AcceptShutdown
	ctx, cancel := context.WithCancel(h.ctx)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- h.serve(ctx) }()
	status <- svc.Status{State: svc.Running, Accepts: accepts}
	for {
		select {
		case h.err = <-ended:
			if h.err != nil {
				writeEvent(h.err)
				return true, 1 // the recovery actions of the service follow
			}
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

func writeEvent(err error) {
	log, openErr := eventlog.Open(serviceName)
	if openErr != nil {
		return
	}
	defer log.Close()
	_ = log.Error(1, err.Error()) // there is no other place to say so
}
