using System.Collections.Immutable;
using System.IO;
using System.Linq;

namespace Ferry.Config;

/// <summary>TLS, towards clients (<c>ssl_…</c>) and towards servers (<c>proxy_ssl_…</c>).</summary>
internal sealed partial class ConfigBinder
{
    /// <summary>A ticket of TLS 1.3 is good for so long at most (RFC 8446 §4.6.1).</summary>
    private static readonly TimeSpan LongestSession = TimeSpan.FromDays(7);

    public static readonly ImmutableArray<(string Word, TlsProtocols Value)> Versions =
        [("TLSv1", TlsProtocols.Tls10), ("TLSv1.1", TlsProtocols.Tls11), ("TLSv1.2", TlsProtocols.Tls12), ("TLSv1.3", TlsProtocols.Tls13)];

    public void SetFile(ConfigNode node, Action<TlsScope, PlacedText?> set)
    {
        // As in nginx, "" takes back what the block around says.
        if (node.Arguments[0].Text.Length == 0)
            set(Scope.Tls, null);
        else if (FileToRead(node, out var file))
            set(Scope.Tls, file);
    }

    public void SetFiles(ConfigNode node, Func<TlsScope, List<PlacedText>> files)
    {
        if (FileToRead(node, out var file))
            files(Scope.Tls).Add(file);
    }

    /// <summary>A file that Ferry reads, absolute. Whether it is there is for others to see: here is no file system.</summary>
    private bool FileToRead(ConfigNode node, out PlacedText file)
    {
        var word = node.Arguments[0];
        file = new PlacedText("");
        var scheme = word.Text.IndexOf(':');
        if (word.Text.Length == 0 || word.Text.Contains('\0'))
            findings.Error(word, $"\"{node.Name.Text}\" needs the name of a file");
        else if (word.Text.Contains('$'))
            findings.Error(word, $"variables in \"{node.Name.Text}\" are not supported yet: write the name of a file");
        else if (scheme > 0 && word.Text[..scheme] is "data" or "engine" or "store")
            findings.Error(word, $"\"{word.Text[..(scheme + 1)]}\" in \"{node.Name.Text}\" is not supported yet: write the name of a file");
        else
        {
            file = new PlacedText(Path.GetFullPath(Path.Combine(folder, word.Text)), word.Position);
            return true;
        }
        return false;
    }

    /// <param name="node">The directive.</param>
    /// <param name="otherwise">Its default, which is told OpenSSL by saying nothing.</param>
    /// <param name="set">Takes the words for OpenSSL, or null for the default.</param>
    public void SetText(ConfigNode node, string otherwise, Action<TlsScope, PlacedText?> set)
    {
        var word = node.Arguments[0];
        if (word.Text.Length == 0 || word.Text.Contains('\0'))
            findings.Error(word, $"\"{node.Name.Text}\" needs a list in the words of OpenSSL, such as {otherwise}");
        else
            set(Scope.Tls, word.Text == otherwise ? null : new PlacedText(word.Text, word.Position));
    }

    public void SetCommand(ConfigNode node, Func<TlsScope, List<TlsCommandConfig>> commands)
    {
        var (name, value) = (node.Arguments[0], node.Arguments[1]);
        if (name.Text.Length == 0 || name.Text.Contains('\0') || value.Text.Contains('\0'))
            findings.Error(name, $"\"{node.Name.Text}\" needs a command of OpenSSL and its value, as in {node.Name.Text} Options -SessionTicket;");
        else
            commands(Scope.Tls).Add(new TlsCommandConfig(name.Text, value.Text, name.Position));
    }

    public void SetProtocols(ConfigNode node, Action<TlsScope, TlsProtocols> set)
    {
        var (protocols, isGood) = (TlsProtocols.None, true);
        foreach (var word in node.Arguments)
        {
            if (word.Text is "SSLv2" or "SSLv3")
            {
                findings.Warning(word, $"\"{word.Text}\" is passed over: today's OpenSSL has no such version");
                continue;
            }
            var version = Versions.FirstOrDefault(v => v.Word == word.Text).Value;
            if (version == TlsProtocols.None)
                findings.Error(word, $"unknown version {ConfigFindings.Show(word.Text)}; the versions are {Choice(Versions.Select(v => v.Word), word.Text)}");
            else if (protocols.HasFlag(version))
                findings.Warning(word, $"\"{word.Text}\" is given twice");
            if (version is TlsProtocols.Tls10 or TlsProtocols.Tls11)
                findings.Note(word, $"{node.Name.Text} level",
                    $"\"{word.Text}\" lowers OpenSSL's security level to 0 {(node.Name.Text == "ssl_protocols" ? "for these listeners" : "towards these servers")}: it works at no other");
            isGood &= version != TlsProtocols.None;
            protocols |= version;
        }
        if (isGood && protocols == TlsProtocols.None)
            findings.Error(node.Name, $"\"{node.Name.Text}\" leaves no version: write {node.Name.Text} {DirectiveTable.DefaultProtocols};");
        set(Scope.Tls, protocols);
    }

    public void SetSessionCache(ConfigNode node)
    {
        var isGood = true;
        foreach (var word in node.Arguments)
        {
            var parts = word.Text.Split(':');
            isGood &= parts switch
            {
                ["off" or "none" or "builtin"] => true,
                ["builtin", var number] => ConfigValue.TryInt(number, 1, int.MaxValue, out _),
                ["shared", { Length: > 0 }, var size] => ConfigValue.TrySize(size, out _),
                _ => false,
            };
            if (!isGood)
            {
                findings.Error(word, $"\"ssl_session_cache\" is off, none, builtin:NUMBER or shared:NAME:SIZE, not {ConfigFindings.Show(word.Text)}");
                return;
            }
        }
        findings.Note(node.Name, node.Name.Text,
            "\"ssl_session_cache\" has no effect: sessions are resumed by tickets and from a cache of Ferry's own; \"ftp_tls_session_reuse\" says whether they are");
    }

    public void SetSessionTimeout(ConfigNode node)
    {
        var word = node.Arguments[0];
        if (!Time(node, word, zero: false, out var time))
            return;
        if (time < TimeSpan.FromSeconds(1) || time > LongestSession)
            findings.Error(word, $"\"ssl_session_timeout\" is 1s to 7d, not {ConfigFindings.Show(word.Text)}");
        else
            Scope.Tls.SessionTimeout = time;
    }

    public void SetStartTls(ConfigNode node) =>
        SetWord(node, [("on", StartTls.On), ("only", StartTls.Only), ("off", StartTls.Off)], (t, v) => t.StartTls = v);

    public void SetSessionReuse(ConfigNode node) =>
        SetWord(node, [("off", TlsSessionReuse.Off), ("optional", TlsSessionReuse.Optional), ("required", TlsSessionReuse.Required)], (t, v) => t.SessionReuse = v);

    public void SetVerifyClient(ConfigNode node) => SetWord(
        node,
        [("on", ClientVerification.On), ("off", ClientVerification.Off), ("optional", ClientVerification.Optional), ("optional_no_ca", ClientVerification.OptionalNoCa)],
        (t, v) => t.VerifyClient = v);

    public void SetTruncation(ConfigNode node) =>
        SetWord(node, [("strict", TlsTruncation.Strict), ("allow", TlsTruncation.Allow)], (t, v) => t.Truncation = v);

    public void SetUpstreamSsl(ConfigNode node)
    {
        if (!OnOff(node, out var on))
            return;
        Scope.Tls.UpstreamSsl = on;
        CheckKind(node);
    }

    public void SetUpstreamStartTls(ConfigNode node)
    {
        SetWord(node, [("on", UpstreamTls.Explicit), ("off", UpstreamTls.Off), ("match", UpstreamTls.Match)], (t, v) => t.UpstreamStartTls = v);
        CheckKind(node);
    }

    /// <summary>One block cannot want both kinds of TLS; of two blocks the inner one decides.</summary>
    private void CheckKind(ConfigNode node)
    {
        if (Scope.Tls.UpstreamSsl.Else(false) && Scope.Tls.UpstreamStartTls.Else(UpstreamTls.Off) != UpstreamTls.Off)
            findings.Error(node.Name,
                "\"proxy_ssl on\" is TLS from the first byte and \"proxy_starttls\" is TLS after AUTH: drop \"proxy_starttls\" for servers on port 990, \"proxy_ssl\" for servers on port 21");
    }

    public void SetUpstreamProtection(ConfigNode node) => SetWord(
        node,
        [("match", UpstreamProtection.Match), ("private", UpstreamProtection.Private), ("clear", UpstreamProtection.Clear)],
        (t, v) => t.UpstreamProtection = v);

    public void SetUpstreamName(ConfigNode node)
    {
        var word = node.Arguments[0];
        if (word.Text.Contains('$'))
            findings.Error(word, "variables in \"proxy_ssl_name\" are not supported yet: write the name that the certificate carries");
        else if (ConfigValue.TryAddress(word.Text, out var address))
            Scope.Tls.UpstreamName = address.ToString();
        else if (!ConfigValue.IsHostName(word.Text))
            findings.Error(word, $"\"proxy_ssl_name\" needs the name of a host, without a port, not {ConfigFindings.Show(word.Text)}");
        else
            Scope.Tls.UpstreamName = word.Text;
    }

    /// <summary>A directive that is one of a few words.</summary>
    private void SetWord<T>(ConfigNode node, (string Word, T Value)[] choices, Action<TlsScope, T> set)
    {
        var word = node.Arguments[0];
        foreach (var (name, value) in choices)
        {
            if (word.Text == name)
            {
                set(Scope.Tls, value);
                return;
            }
        }
        var names = choices.Select(c => $"\"{c.Word}\"").ToList();
        findings.Error(word,
            $"\"{node.Name.Text}\" is {string.Join(", ", names.SkipLast(1))} or {names[^1]}, not {ConfigFindings.Show(word.Text)}{Spelling.DidYouMean(word.Text, choices.Select(c => c.Word))}");
    }
}
