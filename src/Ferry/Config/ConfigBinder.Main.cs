using System.Linq;
using Microsoft.Extensions.Logging;

namespace Ferry.Config;

/// <summary>Main and events; logs.</summary>
internal sealed partial class ConfigBinder
{
    private static readonly string[] LogLevels = ["debug", "info", "notice", "warn", "error", "crit", "alert", "emerg"];

    private const int MostErrorLogs = 100;

    public void SetEvents(ConfigNode node) => BindBlock(node.Block!, ConfigContexts.Events);

    public void SetStream(ConfigNode node) => BindBlock(node.Block!, ConfigContexts.Stream);

    public void SetPid(ConfigNode node)
    {
        if (FilePath(node, node.Arguments[0], out var path))
            Main.PidFile = path;
    }

    public void SetWorkerConnections(ConfigNode node)
    {
        if (Integer(node.Name.Text, node.Arguments[0], 1, 10_000_000, out var value))
            Main.MaxSessions = value;
    }

    public void SetOpenFiles(ConfigNode node)
    {
        if (Integer(node.Name.Text, node.Arguments[0], 1, int.MaxValue, out var value))
            Main.MaxOpenFiles = value;
    }

    public void SetShutdownTimeout(ConfigNode node)
    {
        if (Time(node, node.Arguments[0], zero: false, out var value))
            Main.ShutdownTimeout = value;
    }

    public void SetErrorLog(ConfigNode node)
    {
        var level = LogLevel.Error;
        var isGood = node.Arguments.Count < 2 || TryLevel(node.Arguments[1], out level);
        var word = node.Arguments[0];
        if (word.Text == "off")
            findings.Warning(word,
                "this writes to a file named \"off\", as in nginx; errors cannot be turned off: write error_log stderr crit;");
        var path = word.Text;
        if ((path != "stderr" && !FilePath(node, word, out path)) || !isGood)
            return;
        var log = new ErrorLogConfig(path, level);
        if (Main.ErrorLogs.Contains(log))
            return;
        if (Main.ErrorLogs.Count == MostErrorLogs)
            findings.Error(word, $"more than {MostErrorLogs} places for messages");
        else
            Main.ErrorLogs.Add(log);
    }

    private bool TryLevel(ConfigToken word, out LogLevel level)
    {
        level = word.Text switch
        {
            "debug" => LogLevel.Debug,
            "info" => LogLevel.Information,
            // nginx says at notice when it starts and stops, and nothing of connections: a line a session would be a surprise.
            "notice" or "warn" => LogLevel.Warning,
            "error" => LogLevel.Error,
            "crit" or "alert" or "emerg" => LogLevel.Critical,
            _ => LogLevel.None,
        };
        // debug_core and its like choose parts of nginx.
        if (level == LogLevel.None && word.Text.StartsWith("debug_", StringComparison.Ordinal))
            level = LogLevel.Debug;
        if (level != LogLevel.None)
            return true;
        findings.Error(word, $"unknown level {ConfigFindings.Show(word.Text)}; the levels are {Choice(LogLevels, word.Text)}");
        return false;
    }

    public void SetLogFormat(ConfigNode node)
    {
        var name = node.Arguments[0];
        var pieces = node.Arguments.Skip(1).ToList();
        if (pieces[0] is { IsQuoted: false, Text: var escape } && escape.StartsWith("escape=", StringComparison.Ordinal))
        {
            if (escape is not ("escape=default" or "escape=json" or "escape=none"))
                findings.Error(pieces[0], "\"escape=\" is \"default\", \"json\" or \"none\"");
            findings.Note(pieces[0], "escape=", "\"escape=\" has no effect: control characters in values are always escaped");
            pieces.RemoveAt(0);
        }
        var template = pieces.Count == 0 ? null : ConfigVariables.Parse(string.Concat(pieces.Select(p => p.Text)), pieces, inHash: false, findings, OwnNames);
        if (pieces.Count == 0)
            findings.Error(name, $"log_format {ConfigFindings.Show(name.Text)} has no text");
        if (name.Text == "json")
            findings.Error(name, "log_format \"json\" is built in: choose another name");
        else if (Main.Formats.TryGetValue(name.Text, out var first))
            findings.Error(name, $"log_format {ConfigFindings.Show(name.Text)} is duplicate; the first is at {first.Node.Position}");
        else
            Main.Formats.Add(name.Text, (node, template));
    }

    public void SetAccessLog(ConfigNode node)
    {
        var path = node.Arguments[0];
        if (path.Text == "off")
        {
            if (node.Arguments.Count > 1)
                findings.Error(node.Arguments[1], "\"access_log off\" has no further arguments");
            Scope.AccessLog = new Setting<AccessLogDraft?>(null);
            return;
        }
        ConfigToken? format = null;
        foreach (var word in node.Arguments.Skip(1))
        {
            if (word.Text.StartsWith("if=", StringComparison.Ordinal))
                findings.Error(word, "\"if=\" of \"access_log\" is not supported yet: leave it out and choose lines when reading the log");
            else if (word.Text == "gzip" || word.Text.StartsWith("gzip=", StringComparison.Ordinal))
                findings.Error(word, "\"gzip\" of \"access_log\" is not supported yet: let logrotate pack old files");
            else if (word.Text.StartsWith("buffer=", StringComparison.Ordinal) || word.Text.StartsWith("flush=", StringComparison.Ordinal))
                findings.Note(word,
                    "access_log buffer=", "\"buffer=\" and \"flush=\" have no effect: lines are gathered while the disk is slower than they come, and written at once otherwise");
            else if (format is null)
                format = word;
            else
                findings.Error(word, $"unexpected {ConfigFindings.Show(word.Text)}: \"access_log\" takes one format");
        }
        if (FilePath(node, path, out var full))
            Scope.AccessLog = new AccessLogDraft(full, format);
    }

    public void SetTransferLog(ConfigNode node)
    {
        var path = node.Arguments[0];
        var format = TransferLogFormat.Xferlog;
        if (node.Arguments.Count > 1)
        {
            var word = node.Arguments[1];
            format = word.Text == "json" ? TransferLogFormat.Json : TransferLogFormat.Xferlog;
            if (path.Text == "off")
                findings.Error(word, "\"ftp_transfer_log off\" has no further arguments");
            else if (word.Text is not ("xferlog" or "json"))
                findings.Error(word,
                    $"unknown format {ConfigFindings.Show(word.Text)}; the formats are {Choice(["xferlog", "json"], word.Text)}");
        }
        if (path.Text == "off")
            Scope.TransferLog = new Setting<TransferLogConfig?>(null);
        else if (FilePath(node, path, out var full))
            Scope.TransferLog = new TransferLogConfig(full, format);
    }
}
