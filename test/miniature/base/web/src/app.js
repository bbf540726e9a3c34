document.title = 'Zulip VERSION'
