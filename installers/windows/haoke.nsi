; Installer of Haoke for Windows. Given by build.sh: ROOT, VERSION, ARCH, STUB,
; STAGE, OUTFILE, WEBVIEW; SIGN when there is a certificate; NEED (MB of room)
; and COMPRESSOR by tests.
Target ${STUB}
Unicode true
ManifestDPIAware true
ManifestLongPathAware true
ManifestSupportedOS Win10
!ifndef COMPRESSOR
  !define COMPRESSOR "/SOLID lzma"
!endif
!ifndef NEED
  !define NEED 250
!endif
SetCompressor ${COMPRESSOR}
!include MUI2.nsh
!include LogicLib.nsh
!include nsDialogs.nsh
!include x64.nsh
!include WinVer.nsh
!include FileFunc.nsh
!include WordFunc.nsh
!include Win\COM.nsh
!define REG "Software\Microsoft\Windows\CurrentVersion\Uninstall\Haoke"
!define RULE "Haoke visitors"
Name "Haoke"
OutFile "${OUTFILE}"
RequestExecutionLevel user ; asks for more only when it is needed
SetOverwrite on
AllowSkipFiles off
BrandingText "Haoke ${VERSION}"
VIProductVersion "${VERSION}.0"
VIFileVersion "${VERSION}.0"
VIAddVersionKey ProductName "Haoke"
VIAddVersionKey FileDescription "Haoke setup"
VIAddVersionKey FileVersion "${VERSION}"
VIAddVersionKey ProductVersion "${VERSION}"
VIAddVersionKey CompanyName "Haoke"
VIAddVersionKey LegalCopyright "The Haoke authors, Apache-2.0"
!define MUI_ICON "${ROOT}/build/windows/icon.ico"
!define MUI_UNICON "${ROOT}/build/windows/icon.ico"
!define MUI_WELCOMEFINISHPAGE_BITMAP "${ROOT}/build/windows/side.bmp"
!define MUI_UNWELCOMEFINISHPAGE_BITMAP "${ROOT}/build/windows/side.bmp"
!ifdef SIGN
  !finalize '"${ROOT}/installers/windows/sign.sh" "%1"'
  !uninstfinalize '"${ROOT}/installers/windows/sign.sh" "%1"'
!endif

Var Machine   ; 1: for everybody on this machine, 0: for this account
Var Service   ; 1: there shall be the Windows service
Var Firewall  ; 1: open the visitors' port
Var Login     ; 1: start when this person signs in
Var NoView    ; 1: leave WebView2 alone
Var Relaunch  ; 1: start the window in the end
Var Asked     ; 1: a first run of this installer asked everything already
Var Wait      ; seconds to wait for a running program
Var Upgrade   ; 1: a version is installed here
Var Stopped   ; 1: the service was running before
Var View      ; 1: WebView2 is there
Var Copy      ; the last backup that was made
Var DataAll
Var DataMine
Var Purge     ; 1 (uninstall): remove the data
Var Me
Var All
Var BoxLogin
Var BoxService
Var BoxFirewall

!define MUI_ABORTWARNING
!define MUI_PAGE_CUSTOMFUNCTION_PRE SkipAsked
!insertmacro MUI_PAGE_WELCOME
!define MUI_PAGE_CUSTOMFUNCTION_PRE SkipAsked
!insertmacro MUI_PAGE_LICENSE "${ROOT}/LICENSE"
Page custom WhoPage WhoLeave
!define MUI_PAGE_CUSTOMFUNCTION_PRE SkipUpgrade
!insertmacro MUI_PAGE_DIRECTORY
!insertmacro MUI_PAGE_INSTFILES
!define MUI_FINISHPAGE_RUN
!define MUI_FINISHPAGE_RUN_FUNCTION OpenWindow
!insertmacro MUI_PAGE_FINISH
!insertmacro MUI_UNPAGE_CONFIRM
!insertmacro MUI_UNPAGE_INSTFILES
!insertmacro MUI_LANGUAGE "English"
!insertmacro MUI_LANGUAGE "SimpChinese"
!include "${ROOT}/installers/windows/words.nsh"
!include "${ROOT}/installers/windows/steps.nsh"
!insertmacro Shared ""
!insertmacro Shared "un."

; Stops with a sentence and an exit code.
!macro Stop UN Text Code
  StrCpy $R9 "${Text}"
  Call ${UN}Tell
  SetErrorLevel ${Code}
  Quit
!macroend

; Var := 1 when the command line has the switch.
!macro Switch Name Var
  ClearErrors
  ${GetOptions} $R6 "/${Name}" $0
  ${IfNot} ${Errors}
    StrCpy ${Var} 1
  ${EndIf}
  ClearErrors
!macroend

Function .onInit
  SetRegView 64
  ${GetParameters} $R6
  ClearErrors
  ${GetOptions} $R6 "/LANG=" $0
  ${If} $0 != ""
    StrCpy $LANGUAGE $0
  ${EndIf}
  ${IfNot} ${AtLeastWin10}
  ${OrIfNot} ${AtLeastBuild} 17763
    !insertmacro Stop "" "$(OldWindows)" 64
  ${EndIf}
  !if "${ARCH}" == arm64
    ${IfNot} ${IsNativeARM64}
      !insertmacro Stop "" "$(WrongMachine)" 68
    ${EndIf}
  !endif
  StrCpy $Machine 0
  StrCpy $Wait 0
  ; an installation for everybody that is here is what is upgraded
  ReadRegStr $0 HKLM "${REG}" "DisplayVersion"
  ${If} $0 != ""
    StrCpy $Machine 1
  ${EndIf}
  !insertmacro Switch ALLUSERS $Machine
  !insertmacro Switch SERVICE $Service
  !insertmacro Switch FIREWALL $Firewall
  !insertmacro Switch AUTOSTART $Login
  !insertmacro Switch NOWEBVIEW $NoView
  !insertmacro Switch RELAUNCH $Relaunch
  !insertmacro Switch ASKED $Asked
  ClearErrors
  ${GetOptions} $R6 "/WAIT=" $0
  ${IfNot} ${Errors}
    StrCpy $Wait $0
  ${EndIf}
  ${GetOptions} $R6 "/CURRENTUSER" $0
  ${IfNot} ${Errors}
    StrCpy $Machine 0
  ${EndIf}
  ClearErrors
  ${If} $Service == 1
  ${OrIf} $Firewall == 1
    StrCpy $Machine 1
  ${EndIf}
  UserInfo::GetAccountType
  Pop $0
  ${If} $0 != "Admin"
  ${AndIf} $Machine == 1
  ${AndIf} ${Silent}
    !insertmacro Stop "" "$(NeedAdmin)" 5
  ${EndIf}
  Call Place
FunctionEnd

; Settles what follows from $Machine: folders, what is installed there, and
; that nothing newer is.
Function Place
  Call Folders
  StrCpy $Upgrade 0
  ReadRegStr $R3 SHCTX "${REG}" "DisplayVersion"
  ${If} $R3 != ""
    ${VersionCompare} "$R3" "${VERSION}" $0
    ${If} $0 == 1
      !insertmacro Stop "" "$(Newer)" 65
    ${EndIf}
    StrCpy $Upgrade 1
    ReadRegStr $0 SHCTX "${REG}" "InstallLocation"
    ${If} $0 != ""
      StrCpy $INSTDIR $0
    ${EndIf}
  ${ElseIf} $INSTDIR == ""
  ${OrIf} $INSTDIR == "$PROGRAMFILES64\Haoke"
  ${OrIf} $INSTDIR == "$LOCALAPPDATA\Programs\Haoke"
    ${If} $Machine == 1
      StrCpy $INSTDIR "$PROGRAMFILES64\Haoke"
    ${Else}
      StrCpy $INSTDIR "$LOCALAPPDATA\Programs\Haoke"
    ${EndIf}
  ${EndIf}
FunctionEnd

Function SkipAsked
  ${If} $Asked == 1
    Abort
  ${EndIf}
FunctionEnd

Function SkipUpgrade
  ${If} $Upgrade == 1
    Abort ; an upgrade stays where it is
  ${EndIf}
FunctionEnd

!include "${ROOT}/installers/windows/who.nsh"

; What is checked before anything is touched.
Function Check
  CreateDirectory "$INSTDIR"
  ClearErrors
  FileOpen $0 "$INSTDIR\write.tmp" w
  ${If} ${Errors}
    RMDir "$INSTDIR"
    !insertmacro Stop "" "$(NoWrite)" 67
  ${EndIf}
  FileClose $0
  Delete "$INSTDIR\write.tmp"
  StrCpy $R5 ${NEED}
  System::Call 'kernel32::GetDiskFreeSpaceExW(w "$INSTDIR", *l .r0, p 0, p 0) i .r1'
  ${If} $1 != 0
    System::Int64Op $0 / 1048576
    Pop $0
    ${If} $0 < $R5
      RMDir "$INSTDIR"
      !insertmacro Stop "" "$(DiskFull)" 67
    ${EndIf}
  ${EndIf}
FunctionEnd

; Leaves everything as it was.
Function GiveUp
  Call PutBackAll
  ${If} $Stopped == 1
    Call StartService
  ${EndIf}
FunctionEnd

; A write that failed in the middle ends up here as well.
Function .onInstFailed
  Call GiveUp
  StrCpy $R9 "$(Failed)"
  Call Tell
  SetErrorLevel 67
FunctionEnd

!macro Copied
  ${If} ${Errors}
    ${If} ${Silent}
      Call GiveUp
      !insertmacro Stop "" "$(NoBackup)" 69
    ${ElseIf} ${Cmd} `MessageBox MB_YESNO|MB_ICONEXCLAMATION|MB_DEFBUTTON2 "$(GoOnBare)" IDNO`
      Call GiveUp
      !insertmacro Stop "" "$(NoBackup)" 69
    ${EndIf}
  ${EndIf}
!macroend

Section "Haoke" SecMain
  Call Check
  Call StopService
  Call AwaitQuiet
  ${If} $R0 == 1
    ${If} $Stopped == 1
      Call StartService
    ${EndIf}
    !insertmacro Stop "" "$(Running)" 66
  ${EndIf}
  RMDir /r "$INSTDIR\new" ; of a run that was cut off
  ${If} $Upgrade == 1
  ${AndIf} ${FileExists} "$INSTDIR\haoked.exe"
    StrCpy $9 "$DataMine"
    Call BackupOf
    !insertmacro Copied
    ${If} $Machine == 1
      StrCpy $9 "$DataAll"
      Call BackupOf
      !insertmacro Copied
    ${EndIf}
  ${EndIf}
  ; beside first, in one step then
  SetOutPath "$INSTDIR\new"
  File "/oname=haoke.exe" "${STAGE}/haoke.exe"
  File "/oname=haoked.exe" "${STAGE}/haoked.exe"
  File "/oname=LICENSE.txt" "${STAGE}/LICENSE.txt"
  File "/oname=THIRD-PARTY.txt" "${STAGE}/THIRD-PARTY.txt"
  WriteUninstaller "$INSTDIR\new\uninstall.exe"
  SetOutPath "$INSTDIR"
  ClearErrors
  !insertmacro Replace LICENSE.txt
  !insertmacro Replace THIRD-PARTY.txt
  !insertmacro Replace uninstall.exe
  !insertmacro Replace haoked.exe
  !insertmacro Replace haoke.exe
  ${If} ${Errors}
    Call GiveUp
    !insertmacro Stop "" "$(Failed)" 67
  ${EndIf}
  RMDir /r "$INSTDIR\new"
  nsExec::Exec '"$INSTDIR\haoked.exe" version'
  Pop $0
  ${If} $0 != 0
    Call GiveUp
    !insertmacro Stop "" "$(BadStart)" 70
  ${EndIf}
SectionEnd

Section "-service"
  ${If} $Service == 1
    nsExec::Exec '"$INSTDIR\haoked.exe" service install --data "$DataAll"'
    Pop $0
  ${EndIf}
  ${If} $Service == 1
  ${OrIf} $Stopped == 1
    DetailPrint "$(DoService)"
    Call StartService
    ${If} $R0 != 1
    ${AndIf} $Stopped == 1
      ; it ran before: back to that, with the data as it was
      Call StopService
      Call PutBackAll
      ${If} $Copy != ""
        nsExec::Exec '"$INSTDIR\haoked.exe" restore --data "$DataAll" "$Copy"'
        Pop $0
      ${EndIf}
      Call StartService
      !insertmacro Stop "" "$(BadStart)" 70
    ${ElseIf} $R0 != 1
      StrCpy $R9 "$(NoService)"
      Call Tell
      SetErrorLevel 71
    ${EndIf}
  ${EndIf}
  ${If} $Firewall == 1
    nsExec::Exec '"$SYSDIR\netsh.exe" advfirewall firewall delete rule name="${RULE}"'
    Pop $0
    nsExec::Exec '"$SYSDIR\netsh.exe" advfirewall firewall add rule name="${RULE}" dir=in action=allow protocol=TCP localport=8787'
    Pop $0
    WriteRegDWORD SHCTX "${REG}" "Firewall" 1
  ${EndIf}
SectionEnd

Section "-register"
  Delete "$INSTDIR\haoke.exe.old"
  Delete "$INSTDIR\haoked.exe.old"
  Delete "$INSTDIR\uninstall.exe.old"
  Delete "$INSTDIR\LICENSE.txt.old"
  Delete "$INSTDIR\THIRD-PARTY.txt.old"
  CreateDirectory "$SMPROGRAMS\Haoke"
  CreateShortcut "$SMPROGRAMS\Haoke\Haoke.lnk" "$INSTDIR\haoke.exe"
  CreateShortcut "$SMPROGRAMS\Haoke\Uninstall.lnk" "$INSTDIR\uninstall.exe"
  WriteRegStr SHCTX "${REG}" "DisplayName" "Haoke"
  WriteRegStr SHCTX "${REG}" "DisplayVersion" "${VERSION}"
  WriteRegStr SHCTX "${REG}" "DisplayIcon" "$INSTDIR\haoke.exe"
  WriteRegStr SHCTX "${REG}" "Publisher" "Haoke"
  WriteRegStr SHCTX "${REG}" "InstallLocation" "$INSTDIR"
  WriteRegStr SHCTX "${REG}" "UninstallString" '"$INSTDIR\uninstall.exe"'
  WriteRegStr SHCTX "${REG}" "QuietUninstallString" '"$INSTDIR\uninstall.exe" /S'
  ${GetSize} "$INSTDIR" "/S=0K" $0 $1 $2
  WriteRegDWORD SHCTX "${REG}" "EstimatedSize" $0
  WriteRegDWORD SHCTX "${REG}" "Machine" $Machine
  WriteRegDWORD SHCTX "${REG}" "NoModify" 1
  WriteRegDWORD SHCTX "${REG}" "NoRepair" 1
  ${If} $Login == 1
    ; the window's own setting "start at login" takes this over
    WriteRegDWORD HKCU "Software\Haoke" "StartAtLogin" 1
    WriteRegStr HKCU "Software\Microsoft\Windows\CurrentVersion\Run" "Haoke" '"$INSTDIR\haoke.exe" --hidden'
  ${EndIf}
  ${If} $NoView != 1
    Call InstallView
    ${If} $View != 1
      StrCpy $R9 "$(NoView)"
      Call Tell
    ${EndIf}
  ${EndIf}
  ${If} $Relaunch == 1
    Call OpenWindow
  ${EndIf}
SectionEnd

; Through the shell, so that the window has the rights of the person and not
; the installer's.
Function OpenWindow
  Exec '"$WINDIR\explorer.exe" "$INSTDIR\haoke.exe"'
FunctionEnd

!include "${ROOT}/installers/windows/uninstall.nsh"
