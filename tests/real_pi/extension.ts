// Writes the kinds of entries that no command of pi's RPC mode writes. Each command ends with the notice
// "done <command>", which RPC mode passes on: pi answers an extension command before the command has run.

type Entry = { id: string; type: string };

type Context = {
	sessionManager: { getEntries(): Entry[] };
	ui: { notify(message: string): void };
	navigateTree(entryId: string, options: { summarize: boolean }): Promise<unknown>;
};

type Command = { description: string; handler(args: string, context: Context): Promise<void> };

type Pi = {
	registerCommand(name: string, command: Command): void;
	sendMessage(message: { customType: string; content: string; display: boolean }): void;
	appendEntry(customType: string, data: unknown): void;
	setLabel(entryId: string, label: string): void;
};

export default function (pi: Pi) {
	pi.registerCommand("write-custom", {
		description: "Write a shown and a hidden message, an entry of data, and a label on the first message",
		handler: async (_args, context) => {
			const target = context.sessionManager.getEntries().find((entry) => entry.type === "message");
			pi.sendMessage({ customType: "stub", content: "A shown note", display: true });
			pi.sendMessage({ customType: "stub", content: "A hidden note", display: false });
			pi.appendEntry("stub", { count: 1 });
			if (target) pi.setLabel(target.id, "start");
			context.ui.notify("done write-custom");
		},
	});

	pi.registerCommand("go-back", {
		description: "Continue from the entry with the given id, with a summary of the branch that is left",
		handler: async (entryId, context) => {
			await context.navigateTree(entryId.trim(), { summarize: true });
			context.ui.notify("done go-back");
		},
	});
}
