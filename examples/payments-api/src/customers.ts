/** Made-up people. The card numbers are the networks' published test numbers. */
export interface Customer {
  readonly id: string;
  readonly name: string;
  readonly email: string;
  readonly card: string;
  readonly balance: number;
}

export const customers: readonly Customer[] = [
  { id: 'cus_1', name: 'Ada Example', email: 'ada@customers.example', card: '4111 1111 1111 1111', balance: 1250 },
  { id: 'cus_2', name: 'Grace Example', email: 'grace@customers.example', card: '5555555555554444', balance: 0 },
  { id: 'cus_3', name: 'Linus Example', email: 'linus@customers.example', card: '378282246310005', balance: 99_900 },
];
