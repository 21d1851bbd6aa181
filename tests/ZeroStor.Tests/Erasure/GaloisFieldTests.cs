using ZeroStor.Erasure;

namespace ZeroStor.Tests.Erasure;

public sealed class GaloisFieldTests
{
    [Fact]
    public void Every_product_is_that_of_multiplying_bit_by_bit()
    {
        for (int i = 0; i < 65536; i++)
        {
            (byte a, byte b) = ((byte)(i >> 8), (byte)i);
            Assert.Equal(SlowField.Multiply(a, b), GaloisField.Multiply(a, b));
        }
    }

    [Fact]
    public void The_axioms_of_a_field_hold_for_all_elements()
    {
        for (int i = 0; i < 65536; i++)
        {
            (byte a, byte b) = ((byte)(i >> 8), (byte)i);
            byte product = GaloisField.Multiply(a, b);
            Assert.Equal(product, GaloisField.Multiply(b, a));
            Assert.Equal(a == 0 || b == 0, product == 0);
            for (int c = 1; c < 256; c += 51)
            {
                Assert.Equal(
                    GaloisField.Multiply(product, (byte)c),
                    GaloisField.Multiply(a, GaloisField.Multiply(b, (byte)c)));
                Assert.Equal(
                    GaloisField.Multiply((byte)(a ^ b), (byte)c),
                    (byte)(GaloisField.Multiply(a, (byte)c) ^ GaloisField.Multiply(b, (byte)c)));
            }
        }
    }

    [Fact]
    public void Every_element_but_0_has_an_inverse()
    {
        for (int a = 1; a < 256; a++)
        {
            Assert.Equal(1, GaloisField.Multiply((byte)a, GaloisField.Invert((byte)a)));
        }

        Assert.Throws<DivideByZeroException>(() => GaloisField.Invert(0));
    }

    [Fact]
    public void A_power_is_a_product_of_so_many()
    {
        for (int a = 0; a < 256; a++)
        {
            byte product = 1;
            for (int exponent = 0; exponent < 600; exponent++)
            {
                Assert.Equal(product, GaloisField.Power((byte)a, exponent));
                product = SlowField.Multiply(product, (byte)a);
            }
        }
    }

    /// <summary>From GaloisTest of Backblaze's JavaReedSolomon (MIT).</summary>
    [Fact]
    public void Published_products_and_powers_come_out()
    {
        Assert.Equal(12, GaloisField.Multiply(3, 4));
        Assert.Equal(21, GaloisField.Multiply(7, 7));
        Assert.Equal(41, GaloisField.Multiply(23, 45));
        Assert.Equal(4, GaloisField.Power(2, 2));
        Assert.Equal(235, GaloisField.Power(5, 20));
        Assert.Equal(43, GaloisField.Power(13, 7));
    }
}
