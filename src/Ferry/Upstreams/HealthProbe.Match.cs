using Ferry.Config;
using Ferry.Transport;

namespace Ferry.Upstreams;

// A conversation of the operator's: one text there, and one back.
internal sealed partial class HealthProbe
{
    private async Task<string?> MatchAsync(ControlChannel channel, MatchExpectation match)
    {
        if (_plan.TlsMode == UpstreamTls.Implicit && await StartTlsAsync(channel).ConfigureAwait(false) is { } noTls)
            return noTls;
        _awaited = "answer";
        if (match.Send.Length > 0)
        {
            channel.Write(match.Send);
            await channel.FlushAsync().ConfigureAwait(false);
        }
        while (!match.IsMet(channel.Buffered))
        {
            if (channel.Buffered.Length >= MatchExpectation.MostBytes)
                return $"the first {MatchExpectation.MostBytes} bytes that it sent are not what {match.Name} expects";
            if (!await channel.FillAsync().ConfigureAwait(false))
                return $"it closed the connection, and had not sent what {match.Name} expects";
        }
        channel.Close();
        return null;
    }
}
