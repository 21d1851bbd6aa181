using System.Collections.Immutable;
using CsCheck;

namespace ZeroStor.Tests;

public sealed class ManifestTests
{
    // What one-stripe objects and further stripes may take in the catalog, at most.
    private const int MaxOneStripeBytes = 600;
    private const int MaxFurtherStripeBytes = 40;

    private static readonly Gen<Code> Codes =
        Gen.Select(Gen.Int[1, Code.MaxK], Gen.Int[1, Code.MaxM], (k, m) => new Code(k, m));

    private static readonly Gen<UInt128> Ids =
        Gen.Select(Gen.ULong, Gen.ULong, (high, low) => new UInt128(high, low));

    private static readonly Gen<string> Texts = Gen.String[0, 40].Where(IsUnicode);

    // What to do to some bytes: where, with what, how.
    private static readonly Gen<(int At, byte Value, int How)[]> Changes =
        Gen.Select(Gen.Int[0, 1 << 16], Gen.Byte, Gen.Int[0, 3]).Array[1, 4];

    private static readonly Gen<Manifest> Manifests =
        from contents in Codes.SelectMany(Contents).Array[0, 4]
        from extents in Extents(contents).Array[0, 5]
        from version in Ids
        from type in Texts
        from headers in Gen.Select(Texts, Texts).Array[0, 5]
        select new Manifest
        {
            Version = new VersionId(version),
            Size = contents.Length == 0 ? 0 : extents.Sum(e => e.Length),
            ContentType = type,
            Headers = headers.DistinctBy(h => h.Item1)
                .ToImmutableSortedDictionary(h => h.Item1, h => h.Item2, StringComparer.Ordinal),
            Contents = [.. contents],
            Extents = contents.Length == 0 ? [] : [.. extents],
        };

    [Fact]
    public void A_manifest_decodes_to_what_it_was() => Manifests.Sample(manifest =>
    {
        Manifest decoded = Manifest.Decode(manifest.Encode());
        Assert.Equal(
            (manifest.Version, manifest.Size, manifest.ContentType),
            (decoded.Version, decoded.Size, decoded.ContentType));
        Assert.Equal(manifest.Headers, decoded.Headers);
        Assert.Equal(manifest.Extents, decoded.Extents);
        Assert.Equal(manifest.Contents.Length, decoded.Contents.Length);
        foreach ((ContentRef was, ContentRef now) in manifest.Contents.Zip(decoded.Contents))
        {
            Assert.Equal((was.Id, was.Code, was.Bytes), (now.Id, now.Code, now.Bytes));
            Assert.Equal(was.WrappedKey, now.WrappedKey);
            Assert.Equal(was.Stripes, now.Stripes);
        }
    });

    [Fact]
    public void A_page_decodes_to_what_it_was() => Codes.SelectMany(code => Stripes(code).Array[0, 50]
        .Select(stripes => (code, stripes))).Sample(page => Assert.Equal(
            page.stripes, Manifest.DecodePage(page.code, Manifest.EncodePage(page.code, page.stripes))));

    [Fact]
    public void Every_truncation_and_flipped_bit_is_refused() => Manifests.Sample(
        manifest =>
        {
            byte[] bytes = manifest.Encode();
            for (int length = 0; length < bytes.Length; length++)
            {
                AssertCorrupt(() => Manifest.Decode(bytes.AsSpan(0, length)));
            }

            for (int bit = 0; bit < bytes.Length * 8; bit++)
            {
                bytes[bit / 8] ^= (byte)(1 << (bit % 8));
                AssertCorrupt(() => Manifest.Decode(bytes));
                bytes[bit / 8] ^= (byte)(1 << (bit % 8));
            }

            AssertCorrupt(() => Manifest.Decode([.. bytes, 0]));
        },
        iter: 20);

    [Fact]
    public void Other_bytes_under_a_right_sum_are_refused_or_are_the_one_encoding_of_what_they_say()
    {
        Gen.Select(Manifests, Changes).Sample(
            (manifest, changes) =>
            {
                byte[] bytes = Mutate(manifest.Encode(), changes);
                AssertCorruptOrCanonical(bytes, () => Manifest.Decode(bytes).Encode());
            },
            iter: 20_000);
    }

    [Fact]
    public void Other_bytes_of_a_page_under_a_right_sum_are_refused_or_are_the_one_encoding_of_what_they_say()
    {
        Code code = Code.Default;
        Gen.Select(Stripes(code).Array[1, 3], Changes).Sample(
            (stripes, changes) =>
            {
                byte[] bytes = Mutate(Manifest.EncodePage(code, stripes), changes);
                AssertCorruptOrCanonical(
                    bytes, () => Manifest.EncodePage(code, Manifest.DecodePage(code, bytes).AsSpan()));
            },
            iter: 20_000);
    }

    [Fact]
    public void Random_bytes_under_a_right_sum_are_refused() => Gen.Byte.Array[0, 200].Sample(
        noise =>
        {
            byte[] bytes = WithSum([1, .. noise]);
            AssertCorruptOrCanonical(bytes, () => Manifest.Decode(bytes).Encode());
        },
        iter: 20_000);

    [Theory]
    [InlineData(19)] // headers
    [InlineData(20)] // contents
    [InlineData(21)] // extents
    public void A_count_beyond_the_bytes_is_refused_and_no_room_is_made_for_it(int countAt)
    {
        byte[] head = new byte[countAt];
        head[0] = 1;
        byte[] bytes = WithSum([.. head, 0xFF, 0xFF, 0xFF, 0xFF, 0x07]);
        long allocated = GC.GetAllocatedBytesForCurrentThread();
        AssertCorrupt(() => Manifest.Decode(bytes));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - allocated, 0, 64 * 1024);
    }

    [Fact]
    public void A_newer_format_asks_for_a_newer_version()
    {
        byte[] bytes = OneStripe(98).Encode();
        bytes[0] = 2;
        ZeroStorException refusal = Assert.Throws<ZeroStorException>(() => Manifest.Decode(bytes));
        Assert.Equal(ErrorKind.Corrupt, refusal.Kind);
        Assert.Contains("run a newer ZeroStor", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_no_reader_could_follow_is_refused()
    {
        Manifest good = OneStripe(98);
        ContentRef content = good.Contents[0];
        StripeRef stripe = content.Stripes[0];
        Manifest.Decode(good.Encode());
        foreach (Manifest bad in (Manifest[])
        [
            good with { Size = good.Size + 1 },
            good with { Extents = [new Extent(1, 0, good.Size)] },
            good with { Extents = [new Extent(0, 1, good.Size)] },
            good with { Extents = [new Extent(0, long.MaxValue, good.Size)] },
            good with { Contents = [content with { Bytes = long.MaxValue }] },
            With(stripe with { ContentBytes = 0 }),
            With(stripe with { ContentBytes = Geometry.MaxStripeBytes + 1 }),
            With(stripe with { SealedBytes = int.MaxValue }),
            With(stripe with { SealedBytes = Geometry.PlainSealedBytes(stripe.ContentBytes) + 1 }),
        ])
        {
            AssertCorrupt(() => Manifest.Decode(bad.Encode()));
        }

        Manifest With(StripeRef other) => good with { Contents = [content with { Stripes = [other] }] };
    }

    [Theory]
    [InlineData(1)] // its own seal, which is its id
    [InlineData(2)] // its own lengths, which are a whole stripe's
    [InlineData(4)] // compressed, to the length that it has without
    [InlineData(8)] // a flag that nobody knows
    public void A_stripe_that_says_more_than_it_must_is_refused(byte flags)
    {
        StripeRef whole = WholeStripe(Code.Default, new GroupId(1));
        var writer = new ByteWriter();
        writer.Byte(1);
        writer.VarInt(1);
        writer.Byte(flags);
        writer.UInt128(whole.Id.Value);
        writer.VarInt(whole.Group.Value);
        if (flags == 1)
        {
            writer.UInt128(whole.Seal.Value);
        }
        else if (flags == 2)
        {
            writer.VarInt(whole.ContentBytes);
            writer.VarInt(whole.SealedBytes);
        }
        else if (flags == 4)
        {
            writer.VarInt(whole.SealedBytes);
        }

        writer.Sum(whole.SumsDigest);
        writer.SumOfAll();
        AssertCorrupt(() => Manifest.DecodePage(Code.Default, writer.ToArray()));
    }

    [Theory]
    [InlineData(85)]
    [InlineData(98)]
    [InlineData(100)]
    public void A_one_stripe_manifest_with_small_headers_is_small(int wrappedKeyBytes) =>
        Assert.InRange(OneStripe(wrappedKeyBytes).Encode().Length, 150, MaxOneStripeBytes / 2);

    [Theory]
    [InlineData(1u)]
    [InlineData(1_000_000u)]
    public void A_further_whole_stripe_costs_little(uint group)
    {
        StripeRef whole = WholeStripe(Code.Default, new GroupId(group));
        StripeRef compressed = whole with { SealedBytes = whole.SealedBytes - 1 };
        Assert.InRange(
            Manifest.EncodePage(Code.Default, [compressed]).Length
                - Manifest.EncodePage(Code.Default, [whole]).Length,
            1,
            4);
        int one = Manifest.EncodePage(Code.Default, [whole]).Length;
        int two = Manifest.EncodePage(Code.Default, [whole, whole]).Length;
        Assert.InRange(two - one, 1, MaxFurtherStripeBytes);
        StripeRef[] full = [.. Enumerable.Repeat(whole, Geometry.StripesPerPage)];
        int page = Manifest.EncodePage(Code.Default, full).Length;
        Assert.InRange(page, 1, Geometry.StripesPerPage * MaxFurtherStripeBytes);
    }

    [Fact]
    public void The_order_in_which_headers_were_sorted_leaves_no_trace()
    {
        Manifest ordinal = OneStripe(98);
        Manifest reversed = ordinal with
        {
            Headers = ordinal.Headers.ToImmutableSortedDictionary(
                Comparer<string>.Create((a, b) => string.CompareOrdinal(b, a))),
        };
        Assert.Equal(ordinal.Encode(), reversed.Encode());
    }

    private static Manifest OneStripe(int wrappedKeyBytes)
    {
        var entropy = new SeededEntropy(21);
        ImmutableSortedDictionary<string, string> headers = ImmutableSortedDictionary<string, string>.Empty
            .Add("x-amz-meta-a", "b").Add("cache-control", "no-cache");
        return new Manifest
        {
            Version = VersionId.New(entropy),
            Size = 100_000,
            ContentType = "application/octet-stream",
            Headers = headers,
            Contents =
            [
                new ContentRef
                {
                    Id = ContentId.New(new Tick(1), entropy),
                    WrappedKey = [.. new byte[wrappedKeyBytes]],
                    Code = Code.Default,
                    Bytes = 100_000,
                    Stripes =
                    [
                        WholeStripe(Code.Default, new GroupId(1_000_000)) with
                        {
                            ContentBytes = 100_000, SealedBytes = Geometry.PlainSealedBytes(100_000),
                        },
                    ],
                },
            ],
            Extents = [new Extent(0, 0, 100_000)],
        };
    }

    private static StripeRef WholeStripe(Code code, GroupId group)
    {
        UInt128 id = UInt128.MaxValue;
        int bytes = Geometry.StripeBytes(code);
        return new StripeRef(
            new StripeId(id), group, new SealId(id), bytes, Geometry.PlainSealedBytes(bytes), Sum128.Of([]));
    }

    private static Gen<ContentRef> Contents(Code code) =>
        from id in Ids
        from key in Gen.Byte.Array[0, 100]
        from bytes in Gen.Long[0, 1L << 48]
        from stripes in Stripes(code).Array[0, 5]
        select new ContentRef
        {
            Id = new ContentId(id), WrappedKey = [.. key], Code = code, Bytes = bytes, Stripes = [.. stripes],
        };

    // First placings and later ones, whole stripes and last ones, plain and compressed.
    private static Gen<StripeRef> Stripes(Code code) =>
        from id in Ids
        from seal in Gen.OneOf(Gen.Const(id), Ids)
        from number in Gen.UInt
        from content in Gen.OneOf(Gen.Const(Geometry.StripeBytes(code)), Gen.Int[1, Geometry.MaxStripeBytes])
        from sealedBytes in Gen.OneOf(
            Gen.Const(Geometry.PlainSealedBytes(content)), Gen.Int[1, Geometry.PlainSealedBytes(content)])
        from sum in Gen.Select(Gen.ULong, Gen.ULong, (high, low) => new Sum128(high, low))
        select new StripeRef(
            new StripeId(id), new GroupId(number), new SealId(seal), content, sealedBytes, sum);

    private static Gen<Extent> Extents(ContentRef[] contents) =>
        from content in Gen.Int[0, Math.Max(0, contents.Length - 1)]
        from offset in Gen.Long[0, contents.Length == 0 ? 0 : contents[content].Bytes]
        from length in Gen.Long[0, contents.Length == 0 ? 0 : contents[content].Bytes - offset]
        select new Extent(content, offset, length);

    private static bool IsUnicode(string text)
    {
        for (int i = 0; i < text.Length; i++)
        {
            if (char.IsSurrogate(text[i]) && !char.IsSurrogatePair(text, i++))
            {
                return false;
            }
        }

        return true;
    }

    // Sets, flips, removes or inserts bytes behind the format and before the sum, and sums again.
    private static byte[] Mutate(byte[] bytes, (int At, byte Value, int How)[] changes)
    {
        List<byte> body = [.. bytes.AsSpan(0, bytes.Length - Sum128.Bytes)];
        foreach ((int at, byte value, int how) in changes)
        {
            int index = 1 + (at % (body.Count - 1));
            switch (how)
            {
                case 0:
                    body[index] = value;
                    break;
                case 1:
                    body[index] ^= (byte)(1 << (value % 8));
                    break;
                case 2 when body.Count > 2:
                    body.RemoveAt(index);
                    break;
                default:
                    body.Insert(index, value);
                    break;
            }
        }

        return WithSum([.. body]);
    }

    private static byte[] WithSum(byte[] body)
    {
        byte[] sum = new byte[Sum128.Bytes];
        Sum128.Of(body).Write(sum);
        return [.. body, .. sum];
    }

    private static void AssertCorruptOrCanonical(byte[] bytes, Func<byte[]> encodeDecoded)
    {
        try
        {
            Assert.Equal(bytes, encodeDecoded());
        }
        catch (ZeroStorException refusal)
        {
            Assert.Equal(ErrorKind.Corrupt, refusal.Kind);
        }
    }

    private static void AssertCorrupt(Action act) =>
        Assert.Equal(ErrorKind.Corrupt, Assert.Throws<ZeroStorException>(act).Kind);
}
