namespace Ferry.Protocol;

internal sealed partial class ControlEngine
{
    /// <summary>
    /// The command that a reply answers: the oldest one, save that a server which works on while data flows (pyftpdlib does) answers NOOP
    /// and its like before the transfer's own last reply, which is then told apart by its code.
    /// </summary>
    private int IndexOfAsker(int code)
    {
        while (true)
        {
            var first = _pending.FindIndex(static p => p.Answer is null);
            var asker = first;
            if (first >= 0 && _pending[first].HasData && _pending[first].Preliminary && code >= 200 && !EndsTransfer(code))
            {
                var next = _pending.FindIndex(first + 1, static p => p.Answer is null && !p.HasData);
                asker = next < 0 ? first : next;
            }
            if (asker < 0 || _pending[asker].Verb != FtpVerb.Abor || AnswersAbort(code) || _pending.FindIndex(asker + 1, static p => p.Answer is null) < 0)
                return asker;
            _pending.RemoveAt(asker);
            DropTransfersBefore(asker);
        }
    }

    // RFC 959 §5.4 for the transfer commands: 226, 250 and the 4xx and 5xx; 500-504 complain about a command, which the 1xx has already accepted.
    private static bool EndsTransfer(int code) => code is 226 or 250 or (>= 400 and < 500) or >= 505;

    // RFC 959 §5.4; an ABOR that was answered together with its transfer, or not at all (Pure-FTPd, when the client closes its data connection
    // at the same time), must not take the next command's reply.
    private static bool AnswersAbort(int code) => code is 225 or 226 or >= 400;

    /// <summary>
    /// Forgets commands that the server has plainly passed over (some answer an ABOR within a transfer once, not twice): what stands before
    /// the command that this reply can only belong to. A transfer under way is not stale for a PASV's answer.
    /// </summary>
    private void DropStale(Predicate<PendingCommand> asker)
    {
        var index = _pending.FindIndex(asker);
        for (var i = index - 1; i >= 0; i--)
        {
            if (_pending[i].Answer is null && !(_pending[i].Preliminary && FtpVerbs.IsPassive(_pending[index].Verb)))
            {
                _pending.RemoveAt(i);
                index--;
            }
        }
    }

    // A server that has not accepted the data connection yet answers the ABOR alone (pyftpdlib: 225); nothing follows for the transfer.
    private void DropTransfersBefore(int abort)
    {
        for (var i = abort - 1; i >= 0; i--)
        {
            if (_pending[i].HasData)
                _pending.RemoveAt(i);
        }
    }
}
