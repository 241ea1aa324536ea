; The uninstaller. It asks about the data; a silent one keeps it without /PURGE.
Function un.onInit
  SetRegView 64
  ${GetParameters} $R6
  StrCpy $Wait 0
  StrCpy $Machine 0
  ReadRegStr $0 HKLM "${REG}" "InstallLocation"
  ${If} $0 == $INSTDIR
    StrCpy $Machine 1
  ${EndIf}
  !insertmacro Switch PURGE $Purge
  ClearErrors
  ${GetOptions} $R6 "/WAIT=" $0
  ${IfNot} ${Errors}
    StrCpy $Wait $0
  ${EndIf}
  ClearErrors
  UserInfo::GetAccountType
  Pop $0
  ${If} $0 != "Admin"
  ${AndIf} $Machine == 1
    ${If} ${Silent}
      !insertmacro Stop "un." "$(NeedAdmin)" 5
    ${EndIf}
    ExecShell "runas" "$INSTDIR\uninstall.exe" "$R6"
    Quit
  ${EndIf}
  Call un.Folders
FunctionEnd

; Removes the folder on the stack with all that is in it, and of links only the
; links: RMDir /r deletes what lies behind them, with an administrator's rights.
Function un.Clear
  Exch $0
  Push $1
  Push $2
  Push $3
  System::Call 'kernel32::GetFileAttributesW(w r0) i .r3'
  IntOp $3 $3 & 0x400 ; FILE_ATTRIBUTE_REPARSE_POINT
  ${If} $3 = 0
    FindFirst $1 $2 "$0\*.*"
    ${DoWhile} $2 != ""
      System::Call 'kernel32::GetFileAttributesW(w "$0\$2") i .r3'
      IntOp $3 $3 & 0x10 ; FILE_ATTRIBUTE_DIRECTORY
      ${If} $3 = 0
        Delete "$0\$2"
      ${ElseIf} $2 != "."
      ${AndIf} $2 != ".."
        Push "$0\$2"
        Call un.Clear
      ${EndIf}
      FindNext $1 $2
    ${Loop}
    FindClose $1
  ${EndIf}
  RMDir "$0"
  Pop $3
  Pop $2
  Pop $1
  Pop $0
FunctionEnd

Section "Uninstall"
  Call un.StopService
  Call un.AwaitQuiet
  ${If} $R0 == 1
    ${If} $Stopped == 1
      nsExec::Exec '"$SYSDIR\net.exe" start haoked'
      Pop $0
    ${EndIf}
    !insertmacro Stop "un." "$(Running)" 66
  ${EndIf}
  ${If} $Machine == 1
    nsExec::Exec '"$INSTDIR\haoked.exe" service remove'
    Pop $0
    ReadRegDWORD $0 SHCTX "${REG}" "Firewall"
    ${If} $0 == 1
      nsExec::Exec '"$SYSDIR\netsh.exe" advfirewall firewall delete rule name="${RULE}"'
      Pop $0
    ${EndIf}
  ${EndIf}
  RMDir /r "$INSTDIR\new"
  RMDir /r "$INSTDIR\update" ; of updates for everybody
  Delete "$INSTDIR\update-state.json"
  Delete "$INSTDIR\haoke.exe"
  Delete "$INSTDIR\haoked.exe"
  Delete "$INSTDIR\*.old"
  Delete "$INSTDIR\LICENSE.txt"
  Delete "$INSTDIR\THIRD-PARTY.txt"
  Delete "$INSTDIR\uninstall.exe"
  RMDir "$INSTDIR" ; only when nothing else is in it
  Delete "$SMPROGRAMS\Haoke\Haoke.lnk"
  Delete "$SMPROGRAMS\Haoke\Uninstall.lnk"
  RMDir "$SMPROGRAMS\Haoke"
  DeleteRegValue HKCU "Software\Microsoft\Windows\CurrentVersion\Run" "Haoke"
  DeleteRegKey HKCU "Software\Haoke"
  DeleteRegKey SHCTX "${REG}"
  ; the data: what of it is there
  StrCpy $R8 ""
  ${If} ${FileExists} "$DataMine\*.*"
    StrCpy $R8 "$DataMine"
  ${EndIf}
  ${If} $Machine == 1
  ${AndIf} ${FileExists} "$DataAll\*.*"
    StrCpy $R8 "$R8$\r$\n$DataAll"
  ${EndIf}
  ${If} $R8 != ""
  ${AndIf} $Purge != 1
    MessageBox MB_YESNO|MB_ICONQUESTION|MB_DEFBUTTON2 "$(RemoveData)" /SD IDNO IDNO +2
    StrCpy $Purge 1
  ${EndIf}
  ${If} $Purge == 1
    Push "$DataMine"
    Call un.Clear
    ${If} $Machine == 1
      Push "$DataAll"
      Call un.Clear
    ${EndIf}
  ${EndIf}
SectionEnd
