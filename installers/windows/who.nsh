; The one page of questions.
Function WhoPage
  ${If} $Asked == 1
    Abort
  ${EndIf}
  !insertmacro MUI_HEADER_TEXT "$(WhoTitle)" "$(WhoText)"
  System::Call 'advapi32::GetUserNameW(w .R7, *i ${NSIS_MAX_STRLEN})'
  nsDialogs::Create 1018
  Pop $0
  ${NSD_CreateRadioButton} 0 0 100% 12u "$(WhoMe)"
  Pop $Me
  ${NSD_CreateRadioButton} 0 44u 100% 12u "$(WhoAll)"
  Pop $All
  ${NSD_CreateCheckbox} 12u 18u 95% 12u "$(AskLogin)"
  Pop $BoxLogin
  ${NSD_CreateCheckbox} 12u 62u 95% 12u "$(AskService)"
  Pop $BoxService
  ${NSD_CreateCheckbox} 12u 78u 95% 12u "$(AskFirewall)"
  Pop $BoxFirewall
  ${NSD_CreateLabel} 24u 93u 90% 24u "$(HintFirewall)"
  Pop $0
  ${NSD_OnClick} $Me WhoChanged
  ${NSD_OnClick} $All WhoChanged
  ${If} $Machine == 1
    ${NSD_Check} $All
  ${Else}
    ${NSD_Check} $Me
  ${EndIf}
  ${If} $Login == 1
    ${NSD_Check} $BoxLogin
  ${EndIf}
  ${If} $Service == 1
  ${OrIf} $Upgrade != 1
    ${NSD_Check} $BoxService ; what most shops want who install for everybody
  ${EndIf}
  ${If} $Firewall == 1
    ${NSD_Check} $BoxFirewall
  ${EndIf}
  Push 0
  Call WhoChanged
  nsDialogs::Show
FunctionEnd

Function WhoChanged
  Pop $0
  ${NSD_GetState} $All $0
  EnableWindow $BoxService $0
  EnableWindow $BoxFirewall $0
  IntOp $1 1 - $0
  EnableWindow $BoxLogin $1
FunctionEnd

; Reads the answers. For everybody, this installer starts once more as
; administrator with them.
Function WhoLeave
  ${NSD_GetState} $All $Machine
  ${NSD_GetState} $BoxLogin $Login
  StrCpy $Service 0
  StrCpy $Firewall 0
  ${If} $Machine == 1
    StrCpy $Login 0
    ${NSD_GetState} $BoxService $Service
    ${NSD_GetState} $BoxFirewall $Firewall
    UserInfo::GetAccountType
    Pop $0
    ${If} $0 != "Admin"
      StrCpy $1 "/ALLUSERS /ASKED /LANG=$LANGUAGE"
      ${If} $Service == 1
        StrCpy $1 "$1 /SERVICE"
      ${EndIf}
      ${If} $Firewall == 1
        StrCpy $1 "$1 /FIREWALL"
      ${EndIf}
      ClearErrors
      ExecShell "runas" "$EXEPATH" "$1"
      ${If} ${Errors} ; refused
        Abort
      ${EndIf}
      Quit
    ${EndIf}
  ${EndIf}
  Call Place
FunctionEnd
