package wire

// AdminRoutes is the whole admin API, in the order of its documentation. The
// caller owns the slice.
func AdminRoutes() []Route {
	var all []Route
	for _, part := range [][]Route{
		sessionRoutes(), operatorRoutes(), statusRoutes(), conversationRoutes(), leftRoutes(), faqRoutes(),
		filterRoutes(), filterListRoutes(), filterPatternRoutes(), keyRoutes(), providerRoutes(), settingsRoutes(),
		widgetRoutes(), archiveRoutes(), backupRoutes(), systemRoutes(), liveRoutes(),
	} {
		all = append(all, part...)
	}
	return all
}

func sessionRoutes() []Route {
	return []Route{
		{Method: "GET", Path: "/session", Name: "getSession", Role: RoleOpen, Response: SessionState{}, Status: 200,
			Doc: "Who is signed in at this door. Never 401."},
		{Method: "POST", Path: "/session", Name: "signIn", Role: RoleOpen, Request: SignIn{}, Response: SessionState{}, Status: 200,
			Doc: "Sign in by password; sets the session cookie. 401 with Field \"password\" when name or password is wrong, 429 with RetryAfter after too many tries."},
		{Method: "DELETE", Path: "/session", Name: "signOut", Role: RoleOpen, Query: SignOutQuery{}, Status: 204,
			Doc: "Sign out here, or everywhere. Without a session it does nothing."},
		{Method: "POST", Path: "/session/claim", Name: "claim", Role: RoleOpen, Request: Claim{}, Response: SessionState{}, Status: 200,
			Doc: "Set the first owner's password with the one-time token and sign in. 403 when this address may not claim, 409 when somebody has claimed already, 422 with Field \"token\" when it is wrong or has expired (Hint says how to get a new one)."},
		{Method: "POST", Path: "/session/ticket", Name: "signInByTicket", Role: RoleOpen, Request: TicketSignIn{}, Response: SessionState{}, Status: 200,
			Doc: "Exchange the single-use ticket of \"open in browser\" for a session. 401 when it is spent or older than 30 s."},
		{Method: "POST", Path: "/session/browser", Name: "openBrowser", Role: RoleOperator, Response: BrowserLink{}, Status: 200,
			Doc: "A link that opens the page in a browser on this machine, signed in as the caller."},
		{Method: "PUT", Path: "/session/password", Name: "changePassword", Role: RoleOperator, Request: PasswordChange{}, Status: 204,
			Doc: "Change one's own password. 422 with Field \"current\" or \"password\"."},
	}
}

func operatorRoutes() []Route {
	return []Route{
		{Method: "GET", Path: "/operators", Name: "listOperators", Role: RoleOperator, Response: OperatorList{}, Status: 200,
			Doc: "Everybody who may sign in."},
		{Method: "POST", Path: "/operators", Name: "addOperator", Role: RoleOwner, Request: OperatorNew{}, Response: Operator{}, Status: 201,
			Doc: "Add a person. 409 haoke:exists when the name is taken."},
		{Method: "PATCH", Path: "/operators/{name}", Name: "changeOperator", Role: RoleOwner, Request: OperatorPatch{}, Response: Operator{}, Status: 200,
			Doc: "Change display name, role or password. 409 when it would leave no owner."},
		{Method: "DELETE", Path: "/operators/{name}", Name: "removeOperator", Role: RoleOwner, Status: 204,
			Doc: "Remove a person and end their sessions. 409 when it would leave no owner."},
	}
}

func statusRoutes() []Route {
	return []Route{
		{Method: "GET", Path: "/status", Name: "getStatus", Role: RoleOperator, Response: Status{}, Status: 200,
			Doc: "Is all well, and what needs the owner."},
		{Method: "POST", Path: "/status/pause", Name: "pause", Role: RoleOwner, Request: Pause{}, Response: Status{}, Status: 200,
			Doc: "Stop or resume taking new conversations; running ones go on."},
		{Method: "GET", Path: "/charts", Name: "getCharts", Role: RoleOperator, Query: ChartQuery{}, Response: Charts{}, Status: 200,
			Doc: "Stored series, aligned to steps. 422 for an unknown series or a bad time."},
		{Method: "GET", Path: "/charts/series", Name: "listSeries", Role: RoleOperator, Response: SeriesList{}, Status: 200,
			Doc: "Which series have data, those of single keys included."},
	}
}

func conversationRoutes() []Route {
	const c = "/conversations/{id}"
	return []Route{
		{Method: "GET", Path: "/conversations", Name: "listConversations", Role: RoleOperator, Query: ConversationQuery{}, Response: ConversationList{}, Status: 200,
			Doc: "Conversations by latest activity, hot, warm and cold."},
		{Method: "GET", Path: c, Name: "getConversation", Role: RoleOperator, Response: ConversationDetail{}, Status: 200,
			Doc: "One conversation with its latest messages, wherever they live."},
		{Method: "DELETE", Path: c, Name: "deleteConversation", Role: RoleOwner, Status: 204,
			Doc: "Delete it everywhere, archive and ClickHouse included; cannot be undone."},
		{Method: "GET", Path: c + "/messages", Name: "listMessages", Role: RoleOperator, Query: MessageQuery{}, Response: MessageList{}, Status: 200,
			Doc: "A stretch of messages."},
		{Method: "POST", Path: c + "/messages", Name: "sendMessage", Role: RoleOperator, Request: MessageNew{}, Response: Message{}, Status: 201,
			Doc: "An operator's message. Scripts with the bearer token may leave ID out. 409 when another operator holds the conversation."},
		{Method: "POST", Path: c + "/mode", Name: "setMode", Role: RoleOperator, Request: ModeChange{}, Response: Conversation{}, Status: 200,
			Doc: "Take over or give back; an answer under way is stopped on take-over. 409 haoke:conflict when another operator holds it."},
		{Method: "POST", Path: c + "/stop", Name: "stopAnswer", Role: RoleOperator, Status: 204,
			Doc: "Stop the answer under way. Without one it does nothing."},
		{Method: "POST", Path: c + "/read", Name: "markRead", Role: RoleOperator, Request: ReadMark{}, Status: 204,
			Doc: "An operator has read up to Seq."},
		{Method: "POST", Path: c + "/typing", Name: "markTyping", Role: RoleOperator, Request: TypingMark{}, Status: 204,
			Doc: "An operator is typing."},
		{Method: "POST", Path: c + "/block", Name: "setBlocked", Role: RoleOperator, Request: BlockChange{}, Response: Conversation{}, Status: 200,
			Doc: "Block or unblock the visitor."},
		{Method: "POST", Path: c + "/archive", Name: "archiveConversation", Role: RoleOperator, Response: Conversation{}, Status: 200,
			Doc: "Make it cold now. 409 while an answer is being made."},
		{Method: "GET", Path: c + "/export", Name: "exportConversation", Role: RoleOperator, Query: ExportQuery{}, Produces: "application/octet-stream", Status: 200,
			Doc: "The conversation as a file (Content-Disposition: attachment; the media type follows the format)."},
		{Method: "GET", Path: c + "/messages/{seq}/trace", Name: "getTrace", Role: RoleOperator, Response: TurnTrace{}, Status: 200,
			Doc: "How an answer was made. 404 for what is not an answer."},
		{Method: "GET", Path: "/files/{id}", Name: "getFile", Role: RoleOperator, Produces: "application/octet-stream", Status: 200,
			Doc: "A file that a visitor sent (the media type follows the file); the id is the last element of its link in the message."},
		{Method: "POST", Path: "/files", Name: "addFile", Role: RoleOperator, Query: FileQuery{}, Accepts: "application/octet-stream", Response: StoredFile{}, Status: 201, MaxBody: 64 << 20,
			Doc: "A file for a visitor, under the rules for uploads. It is sent by a message with its link: ![name](url) for a picture, [name](url) else."},
	}
}

func leftRoutes() []Route {
	return []Route{
		{Method: "GET", Path: "/left-messages", Name: "listLeftMessages", Role: RoleOperator, Query: LeftMessageQuery{}, Response: LeftMessageList{}, Status: 200,
			Doc: "What visitors left in the offline form."},
		{Method: "PATCH", Path: "/left-messages/{id}", Name: "changeLeftMessage", Role: RoleOperator, Request: LeftMessagePatch{}, Response: LeftMessage{}, Status: 200,
			Doc: "Mark as done or open again."},
		{Method: "DELETE", Path: "/left-messages/{id}", Name: "deleteLeftMessage", Role: RoleOperator, Status: 204,
			Doc: "Delete it."},
	}
}

func faqRoutes() []Route {
	return []Route{
		{Method: "GET", Path: "/faq", Name: "listFAQ", Role: RoleOperator, Query: FAQQuery{}, Response: FAQList{}, Status: 200,
			Doc: "Entries of the FAQ."},
		{Method: "POST", Path: "/faq", Name: "addFAQ", Role: RoleOperator, Request: FAQWrite{}, Response: FAQEntry{}, Status: 201,
			Doc: "Add an entry; closes the unanswered question that it names."},
		{Method: "PUT", Path: "/faq/{id}", Name: "changeFAQ", Role: RoleOperator, Request: FAQWrite{}, Response: FAQEntry{}, Status: 200,
			Doc: "Replace an entry."},
		{Method: "DELETE", Path: "/faq/{id}", Name: "deleteFAQ", Role: RoleOperator, Status: 204,
			Doc: "Delete an entry."},
		{Method: "GET", Path: "/faq/export", Name: "exportFAQ", Role: RoleOperator, Query: FAQExportQuery{}, Produces: "text/csv", Status: 200,
			Doc: "CSV with the columns question, answer, lang, alternatives (separated by |)."},
		{Method: "POST", Path: "/faq/import", Name: "importFAQ", Role: RoleOwner, Query: ImportQuery{}, Accepts: "text/csv", Response: ImportReport{}, Status: 200, MaxBody: 20 << 20,
			Doc: "Import CSV in any common encoding. 422 when it has no question and answer columns."},
		{Method: "POST", Path: "/faq/test", Name: "testFAQ", Role: RoleOperator, Request: FAQTest{}, Response: FAQTestResult{}, Status: 200,
			Doc: "What the FAQ would answer, with scores. Counts as no hit."},
		{Method: "GET", Path: "/faq/unanswered", Name: "listUnanswered", Role: RoleOperator, Query: ListQuery{}, Response: UnansweredList{}, Status: 200,
			Doc: "Questions that got no good answer."},
		{Method: "DELETE", Path: "/faq/unanswered/{id}", Name: "dismissUnanswered", Role: RoleOperator, Status: 204,
			Doc: "Take a question off the list."},
	}
}

func filterRoutes() []Route {
	return []Route{
		{Method: "GET", Path: "/filters", Name: "getFilters", Role: RoleOperator, Response: Filters{}, Status: 200,
			Doc: "The set-up of all three layers with their health."},
		{Method: "PUT", Path: "/filters/config", Name: "setFilterConfig", Role: RoleOwner, Request: FilterConfig{}, Response: FilterConfig{}, Status: 200,
			Doc: "Replace the switches. 409 haoke:conflict on another Revision (-1: whatever is there), 409 haoke:locked when a locked value would change."},
		{Method: "POST", Path: "/filters/test", Name: "testFilters", Role: RoleOperator, Request: FilterTest{}, Response: FilterTestResult{}, Status: 200,
			Doc: "Run a text through the layers."},
		{Method: "PUT", Path: "/filters/detectors/{name}", Name: "changeDetector", Role: RoleOwner, Request: DetectorWrite{}, Response: Detector{}, Status: 200,
			Doc: "Switch a built-in detector."},
		{Method: "GET", Path: "/filters/hits", Name: "listHits", Role: RoleOperator, Query: HitQuery{}, Response: HitList{}, Status: 200,
			Doc: "The hit log."},
		{Method: "POST", Path: "/filters/hits/{id}/false-positive", Name: "markFalsePositive", Role: RoleOperator, Response: FilterException{}, Status: 201,
			Doc: "Say that this hit was wrong: adds an exception for the matched text under this rule."},
		{Method: "POST", Path: "/filters/exceptions", Name: "addException", Role: RoleOwner, Request: FilterExceptionNew{}, Response: FilterException{}, Status: 201,
			Doc: "Add an exception."},
		{Method: "DELETE", Path: "/filters/exceptions/{id}", Name: "deleteException", Role: RoleOperator, Status: 204,
			Doc: "Remove an exception; the hit that made it counts again."},
	}
}

func filterListRoutes() []Route {
	const l = "/filters/lists/{id}"
	return []Route{
		{Method: "POST", Path: "/filters/lists", Name: "addWordList", Role: RoleOwner, Request: WordListWrite{}, Response: WordList{}, Status: 201,
			Doc: "Add an empty list. 409 haoke:exists when the name is taken."},
		{Method: "PUT", Path: l, Name: "changeWordList", Role: RoleOwner, Request: WordListWrite{}, Response: WordList{}, Status: 200,
			Doc: "Change a list's name, category, action or switch. A read-only list takes only Enabled: 409 haoke:locked otherwise."},
		{Method: "DELETE", Path: l, Name: "deleteWordList", Role: RoleOwner, Status: 204,
			Doc: "Delete a list with its entries. 409 haoke:locked when it comes from a file."},
		{Method: "GET", Path: l + "/words", Name: "listWords", Role: RoleOperator, Query: WordQuery{}, Response: WordPage{}, Status: 200,
			Doc: "Entries of a list."},
		{Method: "POST", Path: l + "/words", Name: "editWords", Role: RoleOwner, Request: WordEdit{}, Response: ImportReport{}, Status: 200, MaxBody: 8 << 20,
			Doc: "Add and remove entries; the report warns of one-letter words and contradictions."},
		{Method: "POST", Path: l + "/import", Name: "importWords", Role: RoleOwner, Query: ImportQuery{}, Accepts: "text/plain", Response: ImportReport{}, Status: 200, MaxBody: 64 << 20,
			Doc: "Import text (one word a line) or CSV, in UTF-8, UTF-16 or GBK. 413 above 20 MiB."},
		{Method: "GET", Path: l + "/export", Name: "exportWords", Role: RoleOperator, Query: WordExportQuery{}, Produces: "text/plain", Status: 200,
			Doc: "All entries as a file."},
	}
}

func filterPatternRoutes() []Route {
	return []Route{
		{Method: "POST", Path: "/filters/patterns", Name: "addPattern", Role: RoleOwner, Request: FilterPatternWrite{}, Response: FilterPattern{}, Status: 201,
			Doc: "Add a pattern. 422 with Field \"expr\" when it does not compile or costs too much."},
		{Method: "PUT", Path: "/filters/patterns/{id}", Name: "changePattern", Role: RoleOwner, Request: FilterPatternWrite{}, Response: FilterPattern{}, Status: 200,
			Doc: "Change a pattern."},
		{Method: "DELETE", Path: "/filters/patterns/{id}", Name: "deletePattern", Role: RoleOwner, Status: 204,
			Doc: "Delete a pattern."},
		{Method: "POST", Path: "/filters/patterns/check", Name: "checkPattern", Role: RoleOperator, Request: PatternCheck{}, Response: PatternReport{}, Status: 200,
			Doc: "Validate an expression while it is typed."},
	}
}

func keyRoutes() []Route {
	return []Route{
		{Method: "GET", Path: "/keys", Name: "listKeys", Role: RoleOperator, Response: KeyRing{}, Status: 200,
			Doc: "All providers and keys with their live state. Secrets are masked."},
		{Method: "POST", Path: "/keys", Name: "addKey", Role: RoleOwner, Request: KeyNew{}, Response: Key{}, Status: 201,
			Doc: "Add a key. It is sealed at once and never shown again. 422 with Field \"value\" when it is empty or has spaces inside, 409 haoke:exists when the name is taken."},
		{Method: "PUT", Path: "/keys/{name}", Name: "changeKey", Role: RoleOwner, Request: KeyPatch{}, Response: Key{}, Status: 200,
			Doc: "Change, switch or rotate a key. 409 haoke:locked when it comes from config.toml or the environment."},
		{Method: "DELETE", Path: "/keys/{name}", Name: "deleteKey", Role: RoleOwner, Status: 204,
			Doc: "Forget a key; calls under way finish."},
		{Method: "POST", Path: "/keys/{name}/test", Name: "testKey", Role: RoleOperator, Response: KeyTest{}, Status: 200,
			Doc: "Make one small call with this key."},
		{Method: "POST", Path: "/keys/test", Name: "probeKey", Role: RoleOwner, Request: KeyProbe{}, Response: KeyTest{}, Status: 200,
			Doc: "Test a base URL and key that are not saved yet."},
		{Method: "PUT", Path: "/keys/order", Name: "orderKeys", Role: RoleOwner, Request: KeyOrder{}, Response: KeyRing{}, Status: 200,
			Doc: "Put the keys of a provider in order."},
		{Method: "GET", Path: "/answers", Name: "getAnswerCache", Role: RoleOperator, Response: AnswerCache{}, Status: 200,
			Doc: "How many answers are kept for later identical questions."},
		{Method: "DELETE", Path: "/answers", Name: "purgeAnswers", Role: RoleOwner, Response: AnswerCache{}, Status: 200,
			Doc: "Forget the kept answers; the next identical question is asked anew."},
	}
}

func providerRoutes() []Route {
	return []Route{
		{Method: "GET", Path: "/providers/presets", Name: "listPresets", Role: RoleOperator, Response: PresetList{}, Status: 200,
			Doc: "Known providers."},
		{Method: "POST", Path: "/providers", Name: "addProvider", Role: RoleOwner, Request: ProviderWrite{}, Response: Provider{}, Status: 201,
			Doc: "Add a further provider, used when those before it cannot serve."},
		{Method: "PUT", Path: "/providers/order", Name: "orderProviders", Role: RoleOwner, Request: KeyOrder{}, Response: KeyRing{}, Status: 200,
			Doc: "Put the further providers in order; \"main\" stays first."},
		{Method: "PUT", Path: "/providers/{name}", Name: "changeProvider", Role: RoleOwner, Request: ProviderWrite{}, Response: Provider{}, Status: 200,
			Doc: "Change a provider; \"main\" writes upstream.base_url, upstream.model and upstream.preset. 409 haoke:locked when config.toml holds one that would change."},
		{Method: "DELETE", Path: "/providers/{name}", Name: "deleteProvider", Role: RoleOwner, Status: 204,
			Doc: "Forget a further provider with its keys. 409 for \"main\"."},
	}
}

func settingsRoutes() []Route {
	return []Route{
		{Method: "GET", Path: "/settings", Name: "getSettings", Role: RoleOperator, Response: SettingsState{}, Status: 200,
			Doc: "Every setting with its value, provenance and description. Secrets are never sent."},
		{Method: "PUT", Path: "/settings", Name: "putSettings", Role: RoleOwner, Request: SettingsWrite{}, Response: SettingsChange{}, Status: 200,
			Doc: "Change several settings, all or none. 409 haoke:conflict on another revision, 409 haoke:locked, 422 with Field set to the path."},
		{Method: "PATCH", Path: "/settings", Name: "patchSetting", Role: RoleOwner, Request: SettingPatch{}, Response: SettingsChange{}, Status: 200,
			Doc: "Change or reset one setting. 409 haoke:conflict with the field as it is now in Current."},
		{Method: "POST", Path: "/settings/addr", Name: "checkAddr", Role: RoleOwner, Request: AddrCheck{}, Response: AddrReport{}, Status: 200,
			Doc: "Can this address be listened on?"},
	}
}

func widgetRoutes() []Route {
	return []Route{
		{Method: "GET", Path: "/widget", Name: "getWidget", Role: RoleOperator, Response: WidgetState{}, Status: 200,
			Doc: "Look, addresses and snippets."},
		{Method: "PUT", Path: "/widget", Name: "putWidget", Role: RoleOwner, Request: WidgetWrite{}, Response: WidgetState{}, Status: 200,
			Doc: "Replace the look; open widgets keep theirs until they reconnect. 422 with Field set to the look's field."},
		{Method: "POST", Path: "/widget/origin", Name: "testOrigin", Role: RoleOperator, Request: OriginTest{}, Response: OriginVerdict{}, Status: 200,
			Doc: "May this page embed the widget?"},
	}
}

func archiveRoutes() []Route {
	return []Route{
		{Method: "GET", Path: "/archive", Name: "getArchive", Role: RoleOperator, Response: ArchiveStatus{}, Status: 200,
			Doc: "The cold tier and ClickHouse."},
		{Method: "POST", Path: "/archive/test", Name: "testArchive", Role: RoleOwner, Request: ArchiveProbe{}, Response: ArchiveTest{}, Status: 200,
			Doc: "Test a ClickHouse; nothing is saved or left behind there."},
		{Method: "POST", Path: "/archive/run", Name: "runArchive", Role: RoleOwner, Response: ArchiveRun{}, Status: 200,
			Doc: "Seal what is old enough and ship what is pending now, for at most 20 s."},
	}
}

func backupRoutes() []Route {
	return []Route{
		{Method: "GET", Path: "/backups", Name: "listBackups", Role: RoleOwner, Response: Backups{}, Status: 200,
			Doc: "Backups and their schedule."},
		{Method: "POST", Path: "/backups", Name: "addBackup", Role: RoleOwner, Request: BackupNew{}, Response: Backup{}, Status: 201,
			Doc: "Make a backup now; visitors are served meanwhile. 409 while another is being made."},
		{Method: "GET", Path: "/backups/{name}", Name: "downloadBackup", Role: RoleOwner, Produces: "application/octet-stream", Status: 200,
			Doc: "The file."},
		{Method: "DELETE", Path: "/backups/{name}", Name: "deleteBackup", Role: RoleOwner, Status: 204,
			Doc: "Delete the file."},
		{Method: "POST", Path: "/backups/{name}/verify", Name: "verifyBackup", Role: RoleOwner, Request: BackupOpen{}, Response: Backup{}, Status: 200,
			Doc: "Open the backup and check its database. 422 with Field \"passphrase\" when it does not open."},
		{Method: "POST", Path: "/backups/{name}/restore", Name: "stageRestore", Role: RoleOwner, Request: BackupOpen{}, Response: Staged{}, Status: 202,
			Doc: "Restore this backup at the next start; what is there now is kept aside."},
		{Method: "POST", Path: "/restore/upload", Name: "uploadBackup", Role: RoleOwner, Query: RestoreQuery{}, Accepts: "application/octet-stream", Response: Backup{}, Status: 201, MaxBody: 8 << 30,
			Doc: "Put a backup file from elsewhere among the backups."},
		{Method: "DELETE", Path: "/restore", Name: "cancelRestore", Role: RoleOwner, Status: 204,
			Doc: "Do not restore at the next start."},
	}
}

func systemRoutes() []Route {
	return []Route{
		{Method: "GET", Path: "/logs", Name: "listLogs", Role: RoleOwner, Query: LogQuery{}, Response: LogPage{}, Status: 200,
			Doc: "The log in memory, redacted."},
		{Method: "GET", Path: "/logs/bundle", Name: "downloadBundle", Role: RoleOwner, Produces: "application/zip", Status: 200,
			Doc: "Redacted diagnostics: log, status, settings without secrets, versions."},
		{Method: "GET", Path: "/updates", Name: "getUpdates", Role: RoleOperator, Response: UpdateState{}, Status: 200,
			Doc: "What is known of newer versions; asks nobody."},
		{Method: "POST", Path: "/updates/check", Name: "checkUpdates", Role: RoleOwner, Response: UpdateState{}, Status: 200,
			Doc: "Ask now. A failure is told in Fault."},
		{Method: "POST", Path: "/updates/apply", Name: "applyUpdate", Role: RoleOwner, Response: UpdateState{}, Status: 202,
			Doc: "Install the newest version known: download, proof, backup, trial on a copy, restart. 409 where that is not done from here."},
		{Method: "POST", Path: "/updates/seen", Name: "seeUpdate", Role: RoleOwner, Response: UpdateState{}, Status: 200,
			Doc: "Take notice of how the latest update ended: the status tells of it no more. 409 where there was none."},
		{Method: "GET", Path: "/wizard", Name: "getWizard", Role: RoleOperator, Response: Wizard{}, Status: 200,
			Doc: "How far the first run is."},
		{Method: "PUT", Path: "/wizard", Name: "putWizard", Role: RoleOwner, Request: WizardWrite{}, Response: Wizard{}, Status: 200,
			Doc: "Store how far the first run is."},
		{Method: "GET", Path: "/about", Name: "getAbout", Role: RoleOperator, Response: About{}, Status: 200,
			Doc: "Versions, folders and licences."},
	}
}

func liveRoutes() []Route {
	return []Route{
		{Method: "POST", Path: "/live/ticket", Name: "getLiveTicket", Role: RoleOperator, Response: LiveTicket{}, Status: 200,
			Doc: "A ticket for the live socket."},
		{Method: "GET", Path: "/live", Name: "pollLive", Role: RoleOpen, Query: LiveQuery{}, Response: LivePoll{}, Status: 200,
			Doc: "With an Upgrade header and a ticket: the live socket, text frames, each a LiveEvent from the server or a LiveCommand from the page; 401 when the ticket is spent. Without an Upgrade header: a poll, for which a session is needed (401)."},
	}
}
