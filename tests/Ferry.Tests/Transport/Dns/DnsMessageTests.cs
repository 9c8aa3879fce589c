using System.Linq;
using System.Net;
using Ferry.Transport.Dns;

namespace Ferry.Tests.Transport.Dns;

public sealed class DnsMessageTests
{
    private const string Asked = "ftp.Example.com";

    private static byte[] Question(DnsType type = DnsType.A, string name = Asked)
    {
        var bytes = new byte[DnsMessage.MaxQuestion];
        return bytes[..DnsMessage.WriteQuestion(bytes, 0x1234, name, type)];
    }

    private static DnsBytes Answer(DnsType type = DnsType.A, int flags = 0x8180) => new(Question(type), flags);

    private static DnsReply? Read(DnsBytes answer, DnsType type = DnsType.A) => DnsMessage.Read(answer.ToArray(), 0x1234, Asked, type);

    [Fact]
    public void A_question_is_as_rfc_1035_draws_it()
    {
        Assert.Equal(
            [0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 3, .. "ftp"u8, 7, .. "Example"u8, 3, .. "com"u8, 0, 0, 28, 0, 1],
            Question(DnsType.Aaaa));
        Assert.Equal(Question(), Question(name: Asked + "."));
    }

    [Theory]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("a..b")]
    [InlineData("a b")]
    [InlineData("ü.example")]
    [InlineData("a\0b")]
    [InlineData("0123456789012345678901234567890123456789012345678901234567890123.com")]
    public void What_is_no_name_of_a_host_is_not_asked_for(string name) => Assert.Empty(Question(name: name));

    [Fact]
    public void The_longest_name_is_asked_for_and_one_longer_is_not()
    {
        var label = new string('a', 63);
        var longest = $"{label}.{label}.{label}.{new string('b', 61)}";

        Assert.Equal(12 + 255 + 4, Question(name: longest).Length);
        Assert.Empty(Question(name: longest + "c"));
    }

    [Fact]
    public void Addresses_aliases_and_services_are_read_with_their_times()
    {
        var reply = Read(Answer().Cname(Asked, "A.example.net", 30).A("a.example.net", "192.0.2.1", 60).Aaaa("a.example.net", "2001:db8::1").Srv("x.y", 1, 2, 2121, "s.example.net"))!;

        Assert.Equal(DnsCode.NoError, reply.Code);
        Assert.Equal(
            [("ftp.example.com", DnsType.Cname), ("a.example.net", DnsType.A), ("a.example.net", DnsType.Aaaa), ("x.y", DnsType.Srv)],
            reply.Records.Select(r => (r.Owner, r.Type)));
        Assert.Equal(("a.example.net", TimeSpan.FromSeconds(30)), (reply.Records[0].Target, reply.Records[0].Lifetime));
        Assert.Equal(IPAddress.Parse("192.0.2.1"), reply.Records[1].Address);
        Assert.Equal(IPAddress.Parse("2001:db8::1"), reply.Records[2].Address);
        Assert.Equal((1, 2, 2121, "s.example.net"), (reply.Records[3].Priority, reply.Records[3].Weight, reply.Records[3].Port, reply.Records[3].Target));
    }

    [Fact]
    public void Names_may_point_back_into_the_message()
    {
        // The name of the question is at 12, its "example.com" at 16.
        var reply = Read(Answer().Record([0xc0, 12], 5, 60, [3, .. "srv"u8, 0xc0, 16]).Record([3, .. "SRV"u8, 0xc0, 16], 1, 60, [192, 0, 2, 1]))!;

        Assert.Equal("srv.example.com", reply.Records[0].Target);
        Assert.Equal(["ftp.example.com", "srv.example.com"], reply.Records.Select(r => r.Owner));
    }

    public static TheoryData<string, byte[]> HostileNames => new()
    {
        { "to itself", [0xc0, 33] },
        { "forward", [0xc0, 200] },
        { "beyond the end", [0xff, 0xff] },
        { "in half", [0xc0] },
        { "of a reserved kind", [0x80, 1, 0] },
        { "of a label beyond the end", [60, 1, 2, 3] },
        { "without an end", [1, (byte)'a'] },
        { "too long", [.. Enumerable.Repeat(new byte[] { 63 }.Concat(new byte[63]), 4).SelectMany(b => b), 0] },
    };

    [Theory]
    [MemberData(nameof(HostileNames))]
    public void A_message_with_a_hostile_name_is_thrown_away(string what, byte[] name)
    {
        Assert.Equal(33, Answer().Length);
        // Two of them are a name together with what follows them, and one leads to a name when it stands further back.
        if (what is not ("without an end" or "in half"))
            Assert.Null(Read(Answer().Record(name, 1, 60, [192, 0, 2, 1])));
        if (what != "to itself")
            Assert.Null(Read(Answer().A(Asked, "192.0.2.1").Record([0], 5, 60, name)));
    }

    [Fact]
    public void Two_names_that_point_at_each_other_end()
    {
        // At 33: a label, then a pointer to 35, which is a pointer to 33.
        Assert.Null(Read(Answer().Record([0xc0, 35, 0xc0, 33], 1, 60, [192, 0, 2, 1])));
    }

    [Fact]
    public void Bytes_that_no_host_has_cannot_be_mistaken_for_others()
    {
        var reply = Read(Answer().Record([7, .. "ftp.exa"u8, 1, 0, 0], 1, 60, [192, 0, 2, 1]))!;

        Assert.Equal(@"ftp\046exa.\000", reply.Records[0].Owner);
    }

    [Theory]
    [InlineData(0x0180)]
    [InlineData(0x8980)]
    public void What_is_no_answer_is_not_read(int flags) => Assert.Null(Read(Answer(flags: flags).A(Asked, "192.0.2.1")));

    [Fact]
    public void An_answer_to_another_question_is_not_read()
    {
        Assert.Null(DnsMessage.Read(Answer().ToArray(), 0x1235, Asked, DnsType.A));
        Assert.Null(DnsMessage.Read(Answer().ToArray(), 0x1234, "other.example.com", DnsType.A));
        Assert.Null(DnsMessage.Read(Answer().ToArray(), 0x1234, Asked, DnsType.Aaaa));
        Assert.NotNull(DnsMessage.Read(Answer().ToArray(), 0x1234, Asked.ToUpperInvariant() + ".", DnsType.A));
    }

    [Fact]
    public void A_truncated_answer_has_no_records()
    {
        var reply = Read(Answer(flags: 0x8380).A(Asked, "192.0.2.1"))!;

        Assert.True(reply.IsTruncated);
        Assert.Empty(reply.Records);
    }

    [Theory]
    [InlineData(2, DnsCode.ServerFailure)]
    [InlineData(3, DnsCode.NameError)]
    [InlineData(5, DnsCode.Refused)]
    public void The_code_is_told(int code, object expected) => Assert.Equal((DnsCode)expected, Read(Answer(flags: 0x8180 | code))!.Code);

    [Fact]
    public void Lifetimes_are_bounded()
    {
        var reply = Read(Answer().A(Asked, "192.0.2.1", -1).A(Asked, "192.0.2.2", int.MaxValue))!;

        Assert.Equal([TimeSpan.Zero, TimeSpan.FromDays(1)], reply.Records.Select(r => r.Lifetime));
    }

    [Fact]
    public void Records_of_other_types_and_classes_are_stepped_over()
    {
        var reply = Read(Answer().Record([0], 16, 60, [3, .. "txt"u8]).Record([0], 1, 60, [1, 2, 3, 4], @class: 3).A(Asked, "192.0.2.1"))!;

        Assert.Equal("192.0.2.1", Assert.Single(reply.Records).Address!.ToString());
    }

    [Fact]
    public void Wrong_lengths_and_numbers_are_thrown_away()
    {
        Assert.Null(Read(Answer().Record([0], 1, 60, [1, 2, 3])));
        Assert.Null(Read(Answer().Record([0], 28, 60, [1, 2, 3, 4])));
        Assert.Null(Read(Answer().Record([0], 33, 60, [0, 1, 0, 1, 0, 1])));
        Assert.Null(Read(Answer().Record([0], 5, 60, [1, (byte)'a', 0, 0])));
        Assert.Null(Read(Answer().Record([0], 1, 60, [1, 2, 3, 4], length: 5)));
        Assert.Null(Read(Answer().A(Asked, "192.0.2.1").Claim(2)));
        Assert.Null(Read(Answer().A(Asked, "192.0.2.1").Claim(0xffff)));
        Assert.Single(Read(Answer().A(Asked, "192.0.2.1").A(Asked, "192.0.2.2").Claim(1))!.Records);
    }

    [Fact]
    public void An_answer_that_is_cut_off_anywhere_is_thrown_away()
    {
        var whole = Answer().Cname(Asked, "a.example.net").A("a.example.net", "192.0.2.1").Srv("x.y", 1, 2, 3, "s.example.net").ToArray();

        Assert.NotNull(DnsMessage.Read(whole, 0x1234, Asked, DnsType.A));
        for (var length = 0; length < whole.Length; length++)
            Assert.Null(DnsMessage.Read(whole.AsSpan(0, length), 0x1234, Asked, DnsType.A));
    }

    [Fact]
    public void Garbage_is_read_to_an_end()
    {
        var random = new Random(5);
        var whole = Answer().Cname(Asked, "a.example.net").Record([0xc0, 12], 1, 60, [192, 0, 2, 1]).Srv("x.y", 1, 2, 3, "s.example.net").ToArray();
        var read = 0;
        for (var i = 0; i < 200_000; i++)
        {
            var broken = (byte[])whole.Clone();
            for (var flips = random.Next(1, 6); flips > 0; flips--)
                broken[random.Next(12, broken.Length)] = (byte)random.Next(256);
            var reply = DnsMessage.Read(broken, 0x1234, Asked, DnsType.A);
            read += reply is null ? 0 : 1;
            Assert.All(reply?.Records ?? [], r => Assert.InRange(r.Owner.Length + r.Target.Length, 0, 8 * DnsName.MaxBytes));
        }
        Assert.InRange(read, 1, 199_999);
    }
}
