; Installer of Haoke for Windows. 64-bit stub: it can be tried under Wine.
Target amd64-unicode
Unicode true
ManifestDPIAware true
ManifestLongPathAware true
SetCompressor /SOLID lzma
!include MUI2.nsh
!include LogicLib.nsh
!include x64.nsh
!include WinVer.nsh
!include FileFunc.nsh
!include WordFunc.nsh
; given by build.sh: VERSION, STAGE, OUTFILE, ARCH
!define REG "Software\Microsoft\Windows\CurrentVersion\Uninstall\Haoke"
Name "Haoke"
OutFile "${OUTFILE}"
RequestExecutionLevel user
VIProductVersion "${VERSION}.0"
VIAddVersionKey ProductName "Haoke"
VIAddVersionKey FileDescription "Haoke setup"
VIAddVersionKey FileVersion "${VERSION}"
VIAddVersionKey ProductVersion "${VERSION}"
VIAddVersionKey CompanyName "Haoke"
VIAddVersionKey LegalCopyright "The Haoke authors, Apache-2.0"
!define MUI_ICON "${ROOT}/build/windows/icon.ico"
!define MUI_UNICON "${ROOT}/build/windows/icon.ico"
!ifdef SIGN
  !finalize '"${ROOT}/installers/windows/sign.sh" "%1"'
  !uninstfinalize '"${ROOT}/installers/windows/sign.sh" "%1"'
!endif

Var Machine   ; 1: for everybody on this machine, 0: for this account
Var Service   ; 1: install the Windows service
Var Firewall  ; 1: open the visitors' port
Var Purge     ; 1 (uninstall): remove the data
Var Data

!define MUI_ABORTWARNING
!insertmacro MUI_PAGE_WELCOME
!insertmacro MUI_PAGE_LICENSE "${ROOT}/LICENSE"
!insertmacro MUI_PAGE_DIRECTORY
!insertmacro MUI_PAGE_COMPONENTS
!insertmacro MUI_PAGE_INSTFILES
!define MUI_FINISHPAGE_RUN "$INSTDIR\haoke.exe"
!insertmacro MUI_PAGE_FINISH
!insertmacro MUI_UNPAGE_CONFIRM
!insertmacro MUI_UNPAGE_INSTFILES
!insertmacro MUI_LANGUAGE "English"
!insertmacro MUI_LANGUAGE "SimpChinese"
!insertmacro GetParameters
!insertmacro GetOptions
!insertmacro VersionCompare

LangString OldWindows ${LANG_ENGLISH} "Haoke needs Windows 10 (1809) or newer."
LangString OldWindows ${LANG_SIMPCHINESE} "好客需要 Windows 10（1809）或更新的版本。"
LangString Newer ${LANG_ENGLISH} "A newer version of Haoke is installed here. Its data cannot be read by this older one, so nothing was changed."
LangString Newer ${LANG_SIMPCHINESE} "这里已安装更新版本的好客，旧版本无法读取其数据，因此未做任何更改。"
LangString Running ${LANG_ENGLISH} "Haoke is running. Quit it (tray icon, Quit), then try again."
LangString Running ${LANG_SIMPCHINESE} "好客正在运行。请先退出（托盘图标，退出），然后重试。"
LangString NeedAdmin ${LANG_ENGLISH} "The service, the firewall rule and an installation for everybody need an administrator. Start this installer as administrator."
LangString NeedAdmin ${LANG_SIMPCHINESE} "安装服务、防火墙规则或为所有用户安装需要管理员权限，请以管理员身份运行。"
LangString Failed ${LANG_ENGLISH} "The files could not be written (is the disk full?). The version from before was put back."
LangString Failed ${LANG_SIMPCHINESE} "文件写入失败（磁盘已满？），已恢复之前的版本。"
LangString RemoveData ${LANG_ENGLISH} "Remove the conversations, settings and keys as well? This cannot be undone."
LangString RemoveData ${LANG_SIMPCHINESE} "同时删除会话、设置和密钥吗？此操作无法撤销。"
LangString DescService ${LANG_ENGLISH} "Serves visitors also when nobody is signed in (administrator)."
LangString DescService ${LANG_SIMPCHINESE} "无人登录时也为访客服务（需要管理员）。"
LangString DescFirewall ${LANG_ENGLISH} "Lets visitors from the network reach port 8787 (administrator)."
LangString DescFirewall ${LANG_SIMPCHINESE} "允许网络上的访客访问 8787 端口（需要管理员）。"
LangString SecService ${LANG_ENGLISH} "Windows service"
LangString SecService ${LANG_SIMPCHINESE} "Windows 服务"
LangString SecFirewall ${LANG_ENGLISH} "Firewall rule"
LangString SecFirewall ${LANG_SIMPCHINESE} "防火墙规则"

!macro Context
  ${If} $Machine == 1
    SetShellVarContext all
    StrCpy $Data "$APPDATA\Haoke"
  ${Else}
    SetShellVarContext current
    StrCpy $Data "$APPDATA\Haoke"
  ${EndIf}
!macroend

!macro Stop Text
  MessageBox MB_OK|MB_ICONSTOP "${Text}" /SD IDOK
!macroend

Function .onInit
  ${IfNot} ${AtLeastWin10}
    !insertmacro Stop "$(OldWindows)"
    SetErrorLevel 64
    Quit
  ${EndIf}
  SetRegView 64
  ; silent switches: /ALLUSERS /SERVICE /FIREWALL /D=PATH
  ${GetParameters} $R0
  StrCpy $Machine 0
  ClearErrors
  ${GetOptions} $R0 "/ALLUSERS" $R1
  ${IfNot} ${Errors}
    StrCpy $Machine 1
  ${EndIf}
  ClearErrors
  ${GetOptions} $R0 "/SERVICE" $R1
  ${IfNot} ${Errors}
    StrCpy $Service 1
    StrCpy $Machine 1
  ${EndIf}
  ClearErrors
  ${GetOptions} $R0 "/FIREWALL" $R1
  ${IfNot} ${Errors}
    StrCpy $Firewall 1
  ${EndIf}
  UserInfo::GetAccountType
  Pop $R2
  ${If} $R2 == "Admin"
    ${IfNot} ${Silent}
      StrCpy $Machine 1
    ${EndIf}
  ${ElseIf} $Machine == 1
    !insertmacro Stop "$(NeedAdmin)"
    SetErrorLevel 5
    Quit
  ${EndIf}
  !insertmacro Context
  ${If} $INSTDIR == ""
    ${If} $Machine == 1
      StrCpy $INSTDIR "$PROGRAMFILES64\Haoke"
    ${Else}
      StrCpy $INSTDIR "$LOCALAPPDATA\Programs\Haoke"
    ${EndIf}
  ${EndIf}
  ReadRegStr $R3 SHCTX "${REG}" "DisplayVersion"
  ${If} $R3 != ""
    ${VersionCompare} "$R3" "${VERSION}" $R4
    ${If} $R4 == 1
      !insertmacro Stop "$(Newer)"
      SetErrorLevel 65
      Quit
    ${EndIf}
    ReadRegStr $R3 SHCTX "${REG}" "InstallLocation"
    ${If} $R3 != ""
      StrCpy $INSTDIR $R3
    ${EndIf}
  ${EndIf}
FunctionEnd

; A running program's file cannot be opened for writing.
Function CheckRunning
  ${If} ${FileExists} "$INSTDIR\haoke.exe"
    ClearErrors
    FileOpen $R0 "$INSTDIR\haoke.exe" a
    ${If} ${Errors}
      !insertmacro Stop "$(Running)"
      SetErrorLevel 66
      Quit
    ${EndIf}
    FileClose $R0
  ${EndIf}
FunctionEnd

Section "Haoke" SecMain
  SectionIn RO
  Call CheckRunning
  SetOutPath "$INSTDIR"
  ; upgrade: stop the service, copy the data with the old program
  ${If} ${FileExists} "$INSTDIR\haoked.exe"
    nsExec::Exec '"$SYSDIR\net.exe" stop haoked'
    Pop $R0
    ${If} ${FileExists} "$Data\haoke.db"
      CreateDirectory "$Data\before-upgrade"
      ${GetTime} "" "L" $0 $1 $2 $3 $4 $5 $6
      nsExec::Exec '"$INSTDIR\haoked.exe" backup --data "$Data" --out "$Data\before-upgrade\$2-$1-$0-$4$5$6.backup"'
      Pop $R0
    ${EndIf}
    ; the old programs stay beside until the new ones are whole
    Delete "$INSTDIR\haoke.exe.old"
    Delete "$INSTDIR\haoked.exe.old"
    Rename "$INSTDIR\haoke.exe" "$INSTDIR\haoke.exe.old"
    Rename "$INSTDIR\haoked.exe" "$INSTDIR\haoked.exe.old"
  ${EndIf}
  ClearErrors
  SetOverwrite try
  File "/oname=haoke.exe" "${STAGE}/haoke.exe"
  File "/oname=haoked.exe" "${STAGE}/haoked.exe"
  File "/oname=LICENSE.txt" "${ROOT}/LICENSE"
  File "/oname=THIRD-PARTY.txt" "${STAGE}/THIRD-PARTY.txt"
  ${If} ${Errors}
    Delete "$INSTDIR\haoke.exe"
    Delete "$INSTDIR\haoked.exe"
    Rename "$INSTDIR\haoke.exe.old" "$INSTDIR\haoke.exe"
    Rename "$INSTDIR\haoked.exe.old" "$INSTDIR\haoked.exe"
    !insertmacro Stop "$(Failed)"
    SetErrorLevel 67
    Quit
  ${EndIf}
  Delete "$INSTDIR\haoke.exe.old"
  Delete "$INSTDIR\haoked.exe.old"
  ; the window's web view, where the system has none yet
  ReadRegStr $R0 HKLM "SOFTWARE\WOW6432Node\Microsoft\EdgeUpdate\Clients\{F3017226-FE2A-4295-8BDF-00C3A9A7E4C5}" "pv"
  ${If} $R0 == ""
    ReadRegStr $R0 HKCU "Software\Microsoft\EdgeUpdate\Clients\{F3017226-FE2A-4295-8BDF-00C3A9A7E4C5}" "pv"
  ${EndIf}
  ${If} $R0 == ""
  ${AndIf} ${FileExists} "$EXEDIR\MicrosoftEdgeWebview2Setup.exe"
    ExecWait '"$EXEDIR\MicrosoftEdgeWebview2Setup.exe" /silent /install'
  ${ElseIf} $R0 == ""
  ${AndIf} ${FileExists} "$EXEDIR\MicrosoftEdgeWebView2RuntimeInstallerX64.exe"
    ExecWait '"$EXEDIR\MicrosoftEdgeWebView2RuntimeInstallerX64.exe" /silent /install'
  ${EndIf}
  WriteUninstaller "$INSTDIR\uninstall.exe"
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
  WriteRegDWORD SHCTX "${REG}" "Machine" $Machine
  WriteRegDWORD SHCTX "${REG}" "NoModify" 1
  WriteRegDWORD SHCTX "${REG}" "NoRepair" 1
SectionEnd

Section /o "$(SecService)" SecSvc
  StrCpy $Service 1
SectionEnd
Section /o "$(SecFirewall)" SecFw
  StrCpy $Firewall 1
SectionEnd

Section "-finish"
  ${If} $Service == 1
    nsExec::Exec '"$INSTDIR\haoked.exe" service install --data "$Data"'
    Pop $R0
    nsExec::Exec '"$SYSDIR\net.exe" start haoked'
    Pop $R0
  ${EndIf}
  ${If} $Firewall == 1
    nsExec::Exec '"$SYSDIR\netsh.exe" advfirewall firewall add rule name="Haoke visitors" dir=in action=allow protocol=TCP localport=8787'
    Pop $R0
  ${EndIf}
SectionEnd

!insertmacro MUI_FUNCTION_DESCRIPTION_BEGIN
  !insertmacro MUI_DESCRIPTION_TEXT ${SecSvc} "$(DescService)"
  !insertmacro MUI_DESCRIPTION_TEXT ${SecFw} "$(DescFirewall)"
!insertmacro MUI_FUNCTION_DESCRIPTION_END

Function un.onInit
  SetRegView 64
  StrCpy $Machine 0
  ReadRegDWORD $R0 HKLM "${REG}" "Machine"
  ${If} $R0 == 1
    StrCpy $Machine 1
  ${EndIf}
  !insertmacro Context
  ${GetParameters} $R0
  ClearErrors
  ${GetOptions} $R0 "/PURGE" $R1
  ${IfNot} ${Errors}
    StrCpy $Purge 1
  ${EndIf}
FunctionEnd

Section "Uninstall"
  ClearErrors
  FileOpen $R0 "$INSTDIR\haoke.exe" a
  ${If} ${Errors}
    !insertmacro Stop "$(Running)"
    SetErrorLevel 66
    Quit
  ${EndIf}
  FileClose $R0
  nsExec::Exec '"$INSTDIR\haoked.exe" service remove'
  Pop $R0
  nsExec::Exec '"$SYSDIR\netsh.exe" advfirewall firewall delete rule name="Haoke visitors"'
  Pop $R0
  Delete "$INSTDIR\haoke.exe"
  Delete "$INSTDIR\haoked.exe"
  Delete "$INSTDIR\LICENSE.txt"
  Delete "$INSTDIR\THIRD-PARTY.txt"
  Delete "$INSTDIR\uninstall.exe"
  RMDir "$INSTDIR"
  Delete "$SMPROGRAMS\Haoke\Haoke.lnk"
  Delete "$SMPROGRAMS\Haoke\Uninstall.lnk"
  RMDir "$SMPROGRAMS\Haoke"
  DeleteRegValue HKCU "Software\Microsoft\Windows\CurrentVersion\Run" "Haoke"
  DeleteRegKey SHCTX "${REG}"
  ${If} $Purge != 1
    MessageBox MB_YESNO|MB_ICONQUESTION|MB_DEFBUTTON2 "$(RemoveData)" /SD IDNO IDNO kept
    StrCpy $Purge 1
    kept:
  ${EndIf}
  ${If} $Purge == 1
    RMDir /r "$Data"
  ${EndIf}
SectionEnd
