; Steps that installer and uninstaller share. Each macro makes a function under
; the name that NSIS wants: UN is "" or "un.".
!macro Shared UN

; Says $R9: in a box, or, when silent, to whoever waits at the console.
Function ${UN}Tell
  ${IfNot} ${Silent}
    MessageBox MB_OK|MB_ICONEXCLAMATION "$R9"
    Return
  ${EndIf}
  System::Call 'kernel32::AttachConsole(i -1)'
  System::Call 'kernel32::GetStdHandle(i -11) p .s'
  Pop $0
  ${If} $0 P<> 0
  ${AndIf} $0 P<> -1
    FileWrite $0 "$R9$\r$\n"
  ${EndIf}
FunctionEnd

; $R0 := 1 when a program of $INSTDIR is running. A running program's file
; cannot be opened for writing; "a" makes nothing of a file that is missing.
Function ${UN}IsRunning
  StrCpy $R0 0
  ${If} ${FileExists} "$INSTDIR\haoke.exe"
    ClearErrors
    FileOpen $0 "$INSTDIR\haoke.exe" a
    ${If} ${Errors}
      StrCpy $R0 1
    ${Else}
      FileClose $0
    ${EndIf}
  ${EndIf}
  ${If} ${FileExists} "$INSTDIR\haoked.exe"
    ClearErrors
    FileOpen $0 "$INSTDIR\haoked.exe" a
    ${If} ${Errors}
      StrCpy $R0 1
    ${Else}
      FileClose $0
    ${EndIf}
  ${EndIf}
  ClearErrors
FunctionEnd

; Waits for the programs to end: a person is asked again and again, a silent
; run waits as long as /WAIT=SECONDS says. $R0 := 1 when they still run.
Function ${UN}AwaitQuiet
  StrCpy $R4 0
  ${Do}
    Call ${UN}IsRunning
    ${If} $R0 == 0
      Return
    ${EndIf}
    ${If} $R4 < $Wait
      IntOp $R4 $R4 + 1
      Sleep 1000
    ${ElseIf} ${Silent}
      Return
    ${Else}
      MessageBox MB_RETRYCANCEL|MB_ICONEXCLAMATION "$(Running)" IDRETRY +2
      Return
    ${EndIf}
  ${Loop}
FunctionEnd

; $R0 := 1 when the service is there and not stopped.
Function ${UN}ServiceLives
  StrCpy $R0 0
  nsExec::ExecToStack '"$SYSDIR\sc.exe" query haoked'
  Pop $0
  Pop $1
  ${If} $0 != 0
    Return
  ${EndIf}
  ClearErrors
  ${WordFind} "$1" "STOPPED" "E+1{" $2
  ${If} ${Errors} ; it says something else
    StrCpy $R0 1
  ${EndIf}
  ClearErrors
FunctionEnd

; Stops the service, if there is one; also one that is about to start.
; $Stopped := 1 when it was not stopped before.
Function ${UN}StopService
  StrCpy $Stopped 0
  ${If} $Machine != 1
    Return ; the service belongs to an installation for everybody
  ${EndIf}
  Call ${UN}ServiceLives
  StrCpy $Stopped $R0
  ${If} $Stopped == 1
    DetailPrint "$(DoStop)"
    ${For} $3 1 30
      nsExec::Exec '"$SYSDIR\net.exe" stop haoked'
      Pop $0
      Call ${UN}ServiceLives
      ${If} $R0 == 0
        ${Break}
      ${EndIf}
      Sleep 2000
    ${Next}
    ; it has ended when its file is free
    ${For} $3 1 30
      Call ${UN}IsRunning
      ${If} $R0 == 0
        ${Break}
      ${EndIf}
      Sleep 500
    ${Next}
  ${EndIf}
FunctionEnd

; The folders of the data: $DataAll of the service, $DataMine of this account.
Function ${UN}Folders
  SetShellVarContext all
  StrCpy $DataAll "$APPDATA\Haoke"
  SetShellVarContext current
  StrCpy $DataMine "$APPDATA\Haoke"
  ${If} $Machine == 1
    SetShellVarContext all
  ${EndIf}
FunctionEnd

!macroend

; Puts FILE of the staging folder in its place in one step: at every moment,
; also after a power cut, the name is either the old file or the new one. The
; old one stays beside as FILE.old until all is done.
!macro Replace FILE
  Push "${FILE}"
  Call Replace
!macroend
Function Replace
  Pop $8
  Delete "$INSTDIR\$8.old"
  ${If} ${FileExists} "$INSTDIR\$8"
    System::Call 'kernel32::CreateHardLinkW(w "$INSTDIR\$8.old", w "$INSTDIR\$8", p 0) i .r0'
    ${If} $0 == 0 ; a file system without links
      CopyFiles /SILENT /FILESONLY "$INSTDIR\$8" "$INSTDIR\$8.old"
    ${EndIf}
  ${EndIf}
  ; what is written must be on the disk before its name is
  System::Call 'kernel32::CreateFileW(w "$INSTDIR\new\$8", i 0xC0000000, i 0, p 0, i 3, i 0, p 0) p .r0'
  System::Call 'kernel32::FlushFileBuffers(p r0)'
  System::Call 'kernel32::CloseHandle(p r0)'
  System::Call 'kernel32::MoveFileExW(w "$INSTDIR\new\$8", w "$INSTDIR\$8", i 9) i .r0'
  ${If} $0 == 0
    SetErrors
  ${EndIf}
FunctionEnd

; Puts FILE.old back in the place of FILE.
!macro PutBack FILE
  ${If} ${FileExists} "$INSTDIR\${FILE}.old"
    System::Call 'kernel32::MoveFileExW(w "$INSTDIR\${FILE}.old", w "$INSTDIR\${FILE}", i 9)'
  ${ElseIf} $Upgrade != 1
    Delete "$INSTDIR\${FILE}"
  ${EndIf}
!macroend
Function PutBackAll
  DetailPrint "$(DoBack)"
  !insertmacro PutBack haoke.exe
  !insertmacro PutBack haoked.exe
  !insertmacro PutBack uninstall.exe
  !insertmacro PutBack LICENSE.txt
  !insertmacro PutBack THIRD-PARTY.txt
  SetOutPath "$INSTDIR" ; a folder that is somebody's current one stays
  RMDir /r "$INSTDIR\new"
  SetOutPath "$TEMP"
  RMDir "$INSTDIR"
FunctionEnd

; $R0 := 1 when the folder $R1 or one above it is a link that somebody without
; an administrator's rights can have put there: looked at below the person's own
; folder, or up to that of the service. What cannot be looked at ("", the server's
; name of a path on the network) ends the way.
Function HasLink
  StrCpy $R0 0
  ${DoUntil} $R1 == $PROFILE
    System::Call 'kernel32::GetFileAttributesW(w R1) i .R2'
    ${If} $R2 = -1
      Return
    ${EndIf}
    IntOp $R2 $R2 & 0x400 ; FILE_ATTRIBUTE_REPARSE_POINT
    ${If} $R2 <> 0
      StrCpy $R0 1
      Return
    ${EndIf}
    ${If} $R1 == $DataAll
      Return
    ${EndIf}
    ${GetParent} "$R1" $R1
  ${Loop}
FunctionEnd

; Makes the folder for the copies of $9; $R0 := 1 when it must not be used. An
; installer that runs for everybody may do more than the person whose folder it
; is, and must not do it where that one's link leads. So a file that nobody else
; may open is held in the folder until the handle $7 is closed: a folder that is
; not empty cannot become a link, and one with an open file in it cannot be
; renamed. The way stays as it is seen then.
Function FolderOf
  StrCpy $7 ""
  ${If} $Machine != 1
    StrCpy $R0 0
    CreateDirectory "$9\before-upgrade"
    Return
  ${EndIf}
  StrCpy $R1 "$9"
  Call HasLink
  ${If} $R0 == 1
    Return
  ${EndIf}
  CreateDirectory "$9\before-upgrade"
  ; to write, for nobody else, new or as it is, no link, gone when it is closed
  System::Call 'kernel32::CreateFileW(w "$9\before-upgrade\hold.tmp", i 0x40000000, i 0, p 0, i 4, i 0x04200000, p 0) p .r7'
  ${If} $7 P= -1
    StrCpy $7 ""
    StrCpy $R0 1
    Return
  ${EndIf}
  StrCpy $R1 "$9\before-upgrade"
  Call HasLink
FunctionEnd

; Copies the data folder $9 with the old program; errors are set when it failed.
Function BackupOf
  StrCpy $Copy ""
  ${If} ${FileExists} "$9\haoke.db"
    DetailPrint "$(DoBackup): $9"
    Call FolderOf
    ${If} $R0 == 0
      Call CopyOf
    ${EndIf}
    ${If} $7 != ""
      System::Call 'kernel32::CloseHandle(p r7)'
    ${EndIf}
  ${Else}
    StrCpy $R0 0
  ${EndIf}
  ClearErrors
  ${If} $R0 == 1
    SetErrors
  ${EndIf}
FunctionEnd

; Writes the copy, $Copy; $R0 := 1 when it failed. The three newest copies stay.
Function CopyOf
  ${GetTime} "" "LS" $0 $1 $2 $3 $4 $5 $6
  StrCpy $Copy "$9\before-upgrade\$2$1$0-$4$5$6-$R3.backup"
  nsExec::Exec '"$INSTDIR\haoked.exe" backup --data "$9" --out "$Copy"'
  Pop $0
  ${If} $0 != 0
    Delete "$Copy"
    StrCpy $Copy ""
    StrCpy $R0 1
    Return
  ${EndIf}
  ; by name is by age: folders list in that order
  StrCpy $2 0
  FindFirst $0 $1 "$9\before-upgrade\*.backup"
  ${DoWhile} $1 != ""
    IntOp $2 $2 + 1
    FindNext $0 $1
  ${Loop}
  FindClose $0
  FindFirst $0 $1 "$9\before-upgrade\*.backup"
  ${DoWhile} $2 > 3
    Delete "$9\before-upgrade\$1"
    IntOp $2 $2 - 1
    FindNext $0 $1
  ${Loop}
  FindClose $0
  ClearErrors
FunctionEnd

; $R0 := 1 when WebView2 is there for this account. "0.0.0.0" is what an
; uninstalled one leaves. See "Distribute the WebView2 Runtime" of Microsoft.
Function HasView
  !define EDGE "Microsoft\EdgeUpdate\Clients\{F3017226-FE2A-4295-8BDF-00C3A9A7E4C5}"
  StrCpy $R0 0
  ReadRegStr $0 HKLM "SOFTWARE\WOW6432Node\${EDGE}" "pv"
  ReadRegStr $1 HKCU "Software\${EDGE}" "pv"
  ${If} $0 != ""
  ${AndIf} $0 != "0.0.0.0"
    StrCpy $R0 1
  ${EndIf}
  ${If} $1 != ""
  ${AndIf} $1 != "0.0.0.0"
    StrCpy $R0 1
  ${EndIf}
FunctionEnd

; Installs WebView2 where it is missing: by the offline runtime beside the
; installer or inside it, else by the small downloader of Microsoft.
; $View := 0 when it is missing in the end.
Function InstallView
  Call HasView
  StrCpy $View $R0
  ${If} $R0 == 1
    Return
  ${EndIf}
  DetailPrint "$(DoView)"
  !if "${ARCH}" == arm64
    StrCpy $1 "$EXEDIR\MicrosoftEdgeWebView2RuntimeInstallerARM64.exe"
  !else
    StrCpy $1 "$EXEDIR\MicrosoftEdgeWebView2RuntimeInstallerX64.exe"
  !endif
  ${IfNot} ${FileExists} "$1"
    StrCpy $1 "$EXEDIR\MicrosoftEdgeWebview2Setup.exe"
  ${EndIf}
  ${IfNot} ${FileExists} "$1"
    InitPluginsDir
    SetOutPath "$PLUGINSDIR"
    StrCpy $1 "$PLUGINSDIR\webview2.exe"
    File "/oname=webview2.exe" "${WEBVIEW}"
    SetOutPath "$INSTDIR"
  ${EndIf}
  ExecWait '"$1" /silent /install' $0
  Call HasView
  StrCpy $View $R0
FunctionEnd

; Starts the service and waits until it serves, at most a minute. A start that
; a busy machine gave up is asked for again. $R0 := 1 when it serves.
Function StartService
  StrCpy $R0 0
  ${For} $2 0 59
    IntOp $0 $2 % 15
    ${If} $0 == 0
      nsExec::Exec '"$SYSDIR\net.exe" start haoked'
      Pop $0
    ${EndIf}
    nsExec::Exec '"$INSTDIR\haoked.exe" health --data "$DataAll"'
    Pop $0
    ${If} $0 == 0
      StrCpy $R0 1
      Return
    ${EndIf}
    Sleep 1000
  ${Next}
FunctionEnd
