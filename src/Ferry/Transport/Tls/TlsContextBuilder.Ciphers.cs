using System.Collections.Immutable;
using System.Linq;
using Ferry.Config;

namespace Ferry.Transport.Tls;

// Suites, groups, parameters, and whatever else OpenSSL can be told.
internal sealed partial class TlsContextBuilder
{
    private const string SecurityLevel = "@SECLEVEL";
    private const int LongestTold = 200;

    private void SetCiphers(PlacedText? list, string byDefault, TlsProtocols protocols, PlacedText? place)
    {
        var ciphers = list?.Value ?? byDefault;
        if (protocols.HasFlag(TlsProtocols.Tls10) || protocols.HasFlag(TlsProtocols.Tls11))
        {
            // OpenSSL 3 holds the hashes of both to be worth less than level 1 (SSL_CTX_set_security_level(3)).
            if (!ciphers.Contains(SecurityLevel, StringComparison.Ordinal))
            {
                ciphers += $":{SecurityLevel}=0";
                _findings.Note(place, "TLSv1 and TLSv1.1 work at OpenSSL's security level 0 only, which is set here; \"@SECLEVEL=1\" in the list of ciphers keeps it, and them out");
            }
        }
        if (list is not null)
            TellMissing(list);
        if (OpenSsl.SSL_CTX_set_cipher_list(_context, ciphers) != 1)
        {
            var reason = OpenSsl.TakeErrors();
            // Without TLS 1.2 and before, its suites are of no use, and none are missed.
            if (protocols != TlsProtocols.Tls13)
                _findings.Error(place, $"none of these ciphers can be used: {reason}");
        }
    }

    /// <summary>Old lists name suites that have left OpenSSL, which passes over them in silence.</summary>
    private void TellMissing(PlacedText list)
    {
        var missing = new List<string>();
        var modern = new List<string>();
        using var trial = new SafeSslContextHandle(OpenSsl.SSL_CTX_new(_isServer ? OpenSsl.TLS_server_method() : OpenSsl.TLS_client_method()));
        if (trial.IsInvalid)
            return;
        foreach (var word in list.Value.Split([':', ',', ';', ' '], StringSplitOptions.RemoveEmptyEntries).Distinct(StringComparer.Ordinal))
        {
            // What is taken away need not be there, and @STRENGTH is a command.
            if (word[0] is '!' or '-' or '@')
                continue;
            var suite = word[0] == '+' ? word[1..] : word;
            if (suite.Length == 0 || OpenSsl.SSL_CTX_set_cipher_list(trial, suite) == 1)
                continue;
            (suite.StartsWith("TLS_", StringComparison.Ordinal) && OpenSsl.SSL_CTX_set_ciphersuites(trial, suite) == 1 ? modern : missing).Add(suite);
        }
        OpenSsl.ERR_clear_error();
        if (missing.Count > 0)
            _findings.Warning(list, $"today's OpenSSL has no {Join(missing)}; {(missing.Count == 1 ? "it is" : "they are")} left out");
        if (modern.Count > 0)
            _findings.Warning(list, $"{Join(modern)}: suites of TLS 1.3 are not chosen here, but with {(_isServer ? "ssl_conf_command" : "proxy_ssl_conf_command")} Ciphersuites");
    }

    private static string Join(List<string> words)
    {
        var text = string.Join(", ", words);
        return text.Length <= LongestTold ? text : text[..LongestTold] + "...";
    }

    private void SetCurves(PlacedText? curves)
    {
        // "auto" is nginx's word for OpenSSL's own.
        if (curves is null || curves.Value == "auto")
            return;
        if (OpenSsl.SSL_CTX_ctrl(_context, OpenSsl.SSL_CTRL_SET_GROUPS_LIST, 0, curves.Value) != 1)
            _findings.Error(curves, $"\"{curves.Value}\" is not a list of curves that OpenSSL has: {OpenSsl.TakeErrors()}");
    }

    private void SetDhParameters(PlacedText? file)
    {
        if (file is null || PemFile.TryOpen(file, "Diffie-Hellman parameters", _findings) is not { } pem)
            return;
        using (pem)
        {
            var parameters = OpenSsl.PEM_read_bio_Parameters(pem.Bio, 0);
            if (parameters == 0 || OpenSsl.EVP_PKEY_is_a(parameters, "DH") != 1 && OpenSsl.EVP_PKEY_is_a(parameters, "DHX") != 1)
            {
                _findings.Error(file, $"\"{file.Value}\" holds no Diffie-Hellman parameters in PEM: {OpenSsl.TakeErrors()}");
            }
            else if (OpenSsl.SSL_CTX_set0_tmp_dh_pkey(_context, parameters) == 1)
            {
                return; // they are the context's now
            }
            else
            {
                _findings.Error(file, $"the Diffie-Hellman parameters in \"{file.Value}\" cannot be used: {OpenSsl.TakeErrors()}");
            }
            OpenSsl.EVP_PKEY_free(parameters);
        }
    }

    private void RunCommands(ImmutableArray<TlsCommandConfig> commands)
    {
        if (commands.IsDefaultOrEmpty)
            return;
        var conf = OpenSsl.SSL_CONF_CTX_new();
        _ = OpenSsl.SSL_CONF_CTX_set_flags(
            conf, OpenSsl.SSL_CONF_FLAG_FILE | OpenSsl.SSL_CONF_FLAG_CERTIFICATE | OpenSsl.SSL_CONF_FLAG_SERVER | OpenSsl.SSL_CONF_FLAG_CLIENT);
        OpenSsl.SSL_CONF_CTX_set_ssl_ctx(conf, _context);
        foreach (var command in commands)
        {
            var result = OpenSsl.SSL_CONF_cmd(conf, command.Name, command.Value);
            if (result > 0)
                continue;
            var at = new PlacedText(command.Name, command.Position);
            var reason = OpenSsl.TakeErrors();
            _findings.Error(at, result switch
            {
                -2 => $"OpenSSL has no command \"{command.Name}\"",
                -3 => $"OpenSSL's command \"{command.Name}\" needs a value",
                _ => $"OpenSSL does not take \"{command.Value}\" for \"{command.Name}\"{(reason.Length > 0 ? ": " : "")}{reason}",
            });
        }
        if (OpenSsl.SSL_CONF_CTX_finish(conf) != 1)
            _findings.Error(new PlacedText(commands[0].Name, commands[0].Position), $"OpenSSL's commands cannot be completed: {OpenSsl.TakeErrors()}");
        OpenSsl.SSL_CONF_CTX_free(conf);
    }
}
