/* Runs a command line as somebody who is no administrator: the group is taken
   out of the token. Ends with the command's exit code. */
#include <stdio.h>
#include <windows.h>
int wmain(int argc, wchar_t **argv) {
  HANDLE me, low;
  BYTE admins[SECURITY_MAX_SID_SIZE];
  DWORD n = sizeof admins, code = 99;
  SID_AND_ATTRIBUTES off = {admins, 0};
  STARTUPINFOW si = {sizeof si};
  PROCESS_INFORMATION pi;
  wchar_t line[4096] = L"";
  for (int i = 1; i < argc; i++) { wcscat(line, argv[i]); wcscat(line, L" "); }
  CreateWellKnownSid(WinBuiltinAdministratorsSid, NULL, admins, &n);
  if (!OpenProcessToken(GetCurrentProcess(), TOKEN_ALL_ACCESS, &me)) return 96;
  if (!CreateRestrictedToken(me, 0, 1, &off, 0, NULL, 0, NULL, &low)) return 97;
  si.dwFlags = STARTF_USESTDHANDLES;
  si.hStdOutput = GetStdHandle(STD_OUTPUT_HANDLE);
  si.hStdError = GetStdHandle(STD_ERROR_HANDLE);
  if (!CreateProcessAsUserW(low, NULL, line, NULL, NULL, TRUE, 0, NULL, NULL, &si, &pi)) return 98;
  WaitForSingleObject(pi.hProcess, INFINITE);
  GetExitCodeProcess(pi.hProcess, &code);
  return code;
}
