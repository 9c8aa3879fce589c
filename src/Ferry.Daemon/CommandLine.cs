using System.CommandLine;
using System.Globalization;
using System.Linq;

namespace Ferry.Daemon;

/// <summary>The command line: NGINX's flags, and the same as verbs.</summary>
internal static class CommandLine
{
    private static readonly Option<string> File = new("-c", "--config")
    {
        Description = "The configuration file.",
        HelpName = "FILE",
        Recursive = true,
        DefaultValueFactory = _ => RunArguments.DefaultFile,
    };

    private static readonly Option<string?> Prefix = new("-p", "--prefix")
    {
        Description = "What relative paths in the configuration are relative to. [default: the folder of FILE]",
        HelpName = "FOLDER",
        Recursive = true,
    };

    private static readonly Option<bool> Quiet = new("-q", "--quiet") { Description = "Print errors only.", Recursive = true };

    private static readonly Option<string?> PidFilePath = new("--pid-file")
    {
        Description = "Where the process id is, instead of what the configuration says.",
        HelpName = "FILE",
    };

    public static async Task<int> InvokeAsync(string[] args)
    {
        // A file name may begin with "@", and no file is a list of arguments.
        var parsed = CreateRoot().Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (parsed.Errors.Count > 0)
        {
            foreach (var error in parsed.Errors)
                Report.Error(error.Message);
            Report.Error("see ferryd --help");
            return ExitCode.Usage;
        }
        // Signals are this program's own matter.
        return await parsed.InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null, EnableDefaultExceptionHandler = false })
            .ConfigureAwait(false);
    }

    private static RootCommand CreateRoot()
    {
        var test = new Option<bool>("-t") { Description = "Test the configuration and exit." };
        var dump = new Option<bool>("-T") { Description = "Test the configuration, print the effective one and exit." };
        var signal = new Option<string?>("-s") { Description = "Signal the running ferryd.", HelpName = string.Join('|', SignalCommand.Names) };
        AcceptOnly(signal, SignalCommand.Names);
        var version = new Option<bool>("-v", "--version") { Description = "Print the version and exit." };
        var details = new Option<bool>("-V") { Description = "Print the version, the runtime's and the system's, and exit." };

        var root = new RootCommand("Ferry, an FTP reverse proxy and load balancer.");
        root.Options.Remove(root.Options.OfType<VersionOption>().Single());
        foreach (Option option in new Option[] { File, Prefix, test, dump, signal, PidFilePath, Quiet, version, details })
            root.Add(option);
        root.Validators.Add(result =>
        {
            var modes = new Option[] { test, dump, signal, version, details }.Where(option => result.GetResult(option) is { Implicit: false });
            if (modes.Skip(1).Any())
                result.AddError($"Only one of {string.Join(", ", modes.Select(option => option.Name))} can be done at a time.");
        });
        root.SetAction((parsed, _) =>
        {
            if (parsed.GetValue(version) || parsed.GetValue(details))
                return Task.FromResult(VersionCommand.Run(parsed.GetValue(details)));
            if (parsed.GetValue(test) || parsed.GetValue(dump))
                return CheckCommand.TestAsync(Arguments(parsed), parsed.GetValue(dump));
            if (parsed.GetValue(signal) is { } name)
                return Task.FromResult(SignalCommand.Run(name, Arguments(parsed), parsed.GetValue(PidFilePath)));
            return RunCommand.RunAsync(Arguments(parsed));
        });

        AddVerbs(root);
        return root;
    }

    private static void AddVerbs(RootCommand root)
    {
        var run = new Command("run", "Run the proxy in the foreground (as without a verb).");
        run.SetAction((parsed, _) => RunCommand.RunAsync(Arguments(parsed)));
        root.Add(run);

        var format = new Option<string>("--format") { Description = "How findings are printed.", DefaultValueFactory = _ => CheckCommand.Text };
        AcceptOnly(format, [CheckCommand.Text, CheckCommand.Json]);
        var check = new Command("check", "Check the configuration and print all that is to be said about it.") { format };
        check.SetAction((parsed, _) => CheckCommand.CheckAsync(Arguments(parsed), parsed.GetRequiredValue(format)));
        root.Add(check);

        var kind = new Option<string>("--format") { Description = "For which program: nft, iptables, or routes for ip.", DefaultValueFactory = _ => RulesCommand.Both };
        AcceptOnly(kind, RulesCommand.Formats);
        var rules = new Command("rules", "Print the kernel's rules that ranges and proxy_bind transparent need, for those who install them themselves.") { kind };
        rules.SetAction(parsed => RulesCommand.Run(Arguments(parsed), parsed.GetRequiredValue(kind)));
        root.Add(rules);

        var descriptions = new[]
        {
            "Put the changed configuration in force (-s reload).",
            "Let running transfers finish, then end (-s quit).",
            "End now (-s stop).",
            "Open the log files again (-s reopen).",
        };
        foreach (var (name, description) in SignalCommand.Names.Zip(descriptions))
        {
            var verb = new Command(name, description) { PidFilePath };
            verb.SetAction(parsed => SignalCommand.Run(name, Arguments(parsed), parsed.GetValue(PidFilePath)));
            root.Add(verb);
        }

        var port = new Option<int>("--port")
        {
            Description = "The port that Ferry listens on.",
            HelpName = "PORT",
            DefaultValueFactory = _ => DemoCommand.DefaultPort,
            CustomParser = result =>
            {
                if (!ushort.TryParse(result.Tokens[^1].Value, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
                    result.AddError($"--port takes a number from 0 (any free port) to 65535, not \"{result.Tokens[^1].Value}\".");
                return number;
            },
        };
        var folder = new Option<string?>("--root") { Description = "The folder that is served. [default: a temporary one]", HelpName = "FOLDER" };
        var demo = new Command("demo", "Run a small FTP server with Ferry in front of it, to try things out.") { port, folder };
        demo.SetAction((parsed, _) => DemoCommand.RunAsync(parsed.GetValue(port), parsed.GetValue(folder)));
        root.Add(demo);

        var version = new Command("version", "Print the version.");
        version.SetAction(_ => VersionCommand.Run(details: true));
        root.Add(version);
    }

    /// <summary>In one line, where the parser's own words take a line a choice.</summary>
    private static void AcceptOnly(Option option, string[] choices) => option.Validators.Add(result =>
    {
        if (result.Tokens.FirstOrDefault(token => !choices.Contains(token.Value)) is { } wrong)
            result.AddError($"{option.Name} takes {string.Join(", ", choices[..^1])} or {choices[^1]}, not \"{wrong.Value}\".");
    });

    private static RunArguments Arguments(ParseResult parsed) =>
        new(parsed.GetRequiredValue(File), parsed.GetValue(Prefix), parsed.GetValue(Quiet));
}
